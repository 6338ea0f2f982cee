// The log of the wire: every Graph call and every webhook, followed live.

import { call, copyText, get } from "../shared/api.js";
import { toast } from "../shared/bar.js";
import { become, el, isGuest, phoneNumber, renew } from "../shared/dom.js";
import { preview } from "../shared/format.js";
import { icon } from "../shared/icons.js";
import { chip, empty, head, intoView, moment } from "./parts.js";
import { callDetail, webhookDetail } from "./wire.js";

const KEPT = 500;
const DRAWN = 200;
const AT_ONCE = 200;
const AGAIN_AT_MOST = 100;
const ON_ITS_WAY = ["accepted", "held", "sent", "delivered"];

// Whom a row is about: by name where there is one that tells people apart.
function whom({ name, phone }) {
  return name && !isGuest(name) ? name : phone && /^\+?\d+$/.test(phone) ? phoneNumber(phone.replace("+", "")) : phone;
}

const sought = (about) => (about ? `${about.type} ${about.name ?? ""} ${about.phone ?? ""} ${about.words} ${about.status ?? ""} ${about.error_code ?? ""}` : "");
const failed = (about) => about?.status === "failed" || about?.status === "dropped";

// What a row is about in two lines: what to whom, and its first words.
function about(each, what, towards) {
  const { phone, words } = each.about;
  const who = whom(each.about);
  return el("td", { class: "path" }, el("div", {}, ...what, who ? ` ${towards} ` : null, who ? el("span", { class: "whom", title: phone }, who) : null), words ? el("small", { class: "begins" }, preview(words)) : null);
}

// How far a message came that was taken: what failed later is no success.
function came({ about: message }) {
  if (!message?.status) return null;
  return failed(message) ? chip([message.status, message.error_code].filter(Boolean).join(" "), "bad") : el("small", { class: "came" }, message.status);
}

function answered(each) {
  if (each.open) return chip("open", "wait");
  if (each.status == null) return chip("no answer", "bad");
  return chip(String(each.status), each.status >= 400 ? "bad" : failed(each.about) ? "plain-tone" : "good");
}

const told = (each) => [...new Set((each.updates ?? []).map((update) => update.status ?? update.kind))].join(", ");
const more = (each) => (each.updates.length > 1 ? `(first of ${each.updates.length}) ` : "");

// Two logs with one face: how a row of each looks, where it is read, what its details are.
const LOGS = {
  calls: {
    title: "Graph calls",
    path: "/_sim/exchanges",
    key: "exchanges",
    columns: ["Time", "Call", "Answer", "Took"],
    words: (each) => `${each.method} ${each.path} ${each.status ?? "none"} ${each.error_code ?? ""} ${each.route ?? ""} ${each.wamid ?? ""} ${each.fault?.kind ?? ""} ${sought(each.about)}`,
    bad: (each) => (each.status ?? 599) >= 400 || failed(each.about),
    cells: (each) => [
      each.about ? about(each, [el("b", {}, each.method), ` ${each.about.type.replaceAll("_", " ")}`], each.about.type === "read receipt" || each.about.type === "typing indicator" ? "for" : "to") : el("td", { class: "path" }, el("b", {}, each.method), " ", each.path),
      el("td", { class: "outcome" }, answered(each), came(each), each.error_code ? el("code", {}, String(each.error_code)) : null, each.fault ? el("span", { class: "struck", title: `Fault ${each.fault.kind}` }, icon("bolt", `fault ${each.fault.kind}`)) : null),
      el("td", { class: "num" }, each.took_ms == null ? "…" : `${each.took_ms < 10 ? each.took_ms.toFixed(1) : Math.round(each.took_ms)} ms`),
    ],
    moment: (each) => each.at,
    detail: callDetail,
    settled: (each) => !each.open && !ON_ITS_WAY.includes(each.about?.status),
  },
  webhooks: {
    title: "Webhooks",
    path: "/_sim/webhooks",
    key: "webhooks",
    columns: ["Time", "What", "State", "Tries"],
    words: (each) => `${each.kind} ${each.state} ${each.fields?.join(" ")} ${each.updates?.map((update) => `${update.kind} ${update.status} ${update.message_id}`).join(" ")} ${each.url} ${sought(each.about)}`,
    bad: (each) => each.state !== "delivered",
    cells: (each) => [
      each.about ? about(each, [el("b", {}, told(each)), ` ${each.about.type.replaceAll("_", " ")}`], `${more(each)}${each.kind === "inbound" ? "from" : "to"}`) : el("td", { class: "path" }, el("b", {}, each.fields?.join(", ") ?? each.kind), " ", told(each)),
      el("td", {}, chip(each.state), each.faults?.length ? el("span", { class: "struck", title: each.faults.map((fault) => fault.kind).join(", ") }, icon("bolt", "struck by a fault")) : null),
      el("td", { class: "num" }, String(each.attempt_count)),
    ],
    moment: (each) => each.created_at,
    detail: webhookDetail,
    settled: (each) => each.state === "delivered" || each.state === "lost",
  },
};

export class ExchangesRoom {
  id = "exchanges";
  title = "Exchanges";
  sign = "wire";
  pause = 400;

  constructor(world) {
    this.world = world;
    this.logs = { calls: new Map(), webhooks: new Map() };
    this.which = "calls";
    this.chosen = null;
    this.of = null;
    this.seek = el("input", { type: "search", class: "seek", placeholder: "Filter: name, words, path, status, code…", "aria-label": "Filter" });
    this.seek.addEventListener("input", () => this.draw());
    this.only = el("select", { class: "pick", "aria-label": "Which" }, ...[["", "all"], ["bad", "that went wrong"]].map(([value, words]) => el("option", { value }, words)));
    this.only.addEventListener("change", () => this.draw());
    this.tabs = el("div", { class: "choice", role: "group", "aria-label": "Log" });
    this.body = el("tbody", {});
    this.columns = el("tr", {});
    this.table = el("table", { class: "wire" }, el("thead", {}, this.columns), this.body);
    this.detail = el("article", { class: "sheet-of" }, empty("Choose a row to see it whole."));
    const retry = el("button", { type: "button", class: "plain", onclick: () => this.retryAll() }, icon("again"), "Retry webhooks now");
    this.root = el(
      "div",
      { class: "fills" },
      head("Exchanges", "Every call your client made and every webhook it was sent, as they happen.", retry),
      el("div", { class: "filters" }, this.tabs, this.seek, this.only),
      el("div", { class: "split wide-left" }, el("div", { class: "log-table", tabindex: "0", role: "region", "aria-label": "Log" }, this.table), this.detail),
    );
    this.turn("calls");
  }

  enter(id) {
    if (id) this.choose(id.startsWith("w") ? "webhooks" : "calls", Number(id.replace(/\D/g, "")));
  }

  turn(which) {
    this.which = which;
    this.tabs.replaceChildren(...Object.entries(LOGS).map(([name, log]) => el("button", { type: "button", "aria-pressed": String(name === which), onclick: () => this.turn(name) }, log.title)));
    this.columns.replaceChildren(...LOGS[which].columns.map((name) => el("th", { scope: "col" }, name)));
    this.body.replaceChildren();
    this.drawn = new Map();
    this.draw();
    this.refresh().catch((problem) => this.say(problem.message));
  }

  // Reads what is new, and again from the first of the latest rows whose end is still open.
  async refresh() {
    const log = LOGS[this.which];
    const known = this.logs[this.which];
    const rows = [...known.values()];
    const newest = rows.at(-1)?.id ?? 0;
    const open = rows.find((each) => newest - each.id < AGAIN_AT_MOST && !log.settled(each));
    const after = open ? open.id - 1 : newest;
    const fresh = await get(`${log.path}?limit=${AT_ONCE}${after ? `&after=${after}` : ""}${this.which === "webhooks" ? "&bodies=false" : ""}`);
    if (fresh[log.key].length === AT_ONCE && after && newest) {
      known.clear(); // far behind: the newest are what matters
      return this.refresh();
    }
    for (const each of fresh[log.key]) known.set(each.id, each);
    for (const id of known.keys()) {
      if (known.size <= KEPT) break;
      known.delete(id);
    }
    if (!fresh[log.key].length && !after) known.clear();
    this.draw();
    return undefined;
  }

  draw() {
    const log = LOGS[this.which];
    const words = this.seek.value.trim().toLowerCase();
    const rows = [...this.logs[this.which].values()].filter((each) => (!words || log.words(each).toLowerCase().includes(words)) && (!this.only.value || log.bad(each))).slice(-DRAWN).reverse();
    const drawn = new Map();
    for (const each of rows) {
      const sign = JSON.stringify(each);
      const before = this.drawn?.get(each.id);
      if (before && before.sign !== sign) become(before.row, this.row(each, log));
      drawn.set(each.id, { sign, row: before?.row ?? this.row(each, log) });
    }
    this.drawn = drawn;
    for (const [id, { row }] of drawn) row.classList.toggle("current", id === this.chosen && this.which === this.of);
    const none = words || this.only.value ? "Nothing fits the filter." : "Nothing yet. Point your client at this address.";
    renew(this.body, ...(rows.length ? [...drawn.values()].map(({ row }) => row) : [el("tr", {}, el("td", { colspan: "4" }, empty(none)))]));
  }

  row(each, log) {
    const open = () => this.choose(this.which, each.id);
    const time = el("td", { class: "num" }, el("button", { type: "button", class: "row-button", "aria-label": `Details of ${log.words(each).trim()}` }, moment(log.moment(each), this.world.setAt ? this.world.now() : log.moment(each))));
    return el("tr", { "data-id": String(each.id), onclick: open }, time, ...log.cells(each));
  }

  async choose(which, id) {
    if (which !== this.which) this.turn(which);
    this.chosen = id;
    this.of = which;
    history.replaceState(null, "", `#exchanges/${which === "webhooks" ? "w" : ""}${id}`);
    this.draw();
    await this.open();
    intoView(this.detail);
  }

  // Shows what is chosen, whichever log is on the screen by now; a late answer never covers a later choice.
  async open() {
    const { chosen, of } = this;
    let sheet;
    try {
      sheet = LOGS[of].detail(await get(`${LOGS[of].path}/${chosen}`), this);
    } catch (problem) {
      sheet = [empty(problem.message)];
    }
    if (chosen === this.chosen && of === this.of) this.detail.replaceChildren(...sheet);
  }

  async copy(words, told) {
    await copyText(words).then(() => toast(told), () => toast("The browser does not let the page copy"));
  }

  async redeliver(id, copies = 1) {
    try {
      const { status_codes: codes } = await call(`/_sim/webhooks/${id}/redeliver`, { copies });
      toast(`Posted again: ${codes.map((code) => code ?? "no answer").join(", ")}`);
      await this.open();
    } catch (problem) {
      toast(problem.message);
    }
  }

  async retryAll() {
    const { retried } = await call("/_sim/webhooks/retry", {});
    toast(retried ? `${retried} webhooks tried again` : "No webhook waits for a retry");
    if (this.chosen) await this.open();
  }

  say(words) {
    this.body.replaceChildren(el("tr", {}, el("td", { colspan: "4" }, empty(words))));
  }
}
