// Faults on demand: what is armed, and a form for every kind there is.

import { call, get } from "../shared/api.js";
import { toast } from "../shared/bar.js";
import { el, freshId, renew } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { empty, head } from "./parts.js";

// How the keys of a fault are filled in; what is not named here is a text.
const KEYS = {
  code: { label: "Graph error code", number: true, value: "131016", hint: "such as 130429, 131016, 131026, 131047" },
  http_status: { label: "HTTP status", number: true, placeholder: "as Meta gives it" },
  subcode: { label: "Subcode", number: true },
  details: { label: "Details", placeholder: "Fault armed in the simulator." },
  retry_after_s: { label: "Retry-After, seconds", number: true },
  after_accept: { label: "Accept first", check: true },
  delay_s: { label: "Seconds", number: true, value: "5" },
  body: { label: "Body" },
  content_type: { label: "Content type", placeholder: "text/html" },
  after_status: { label: "After", options: ["", "sent"] },
  course: { label: "Statuses", options: ["no_delivered", "read_first", "twice", "silent", "usual"] },
  field: { label: "Webhook field", placeholder: "any" },
  status: { label: "Status webhooks", options: ["", "sent", "delivered", "read", "played", "failed"] },
  app_id: { label: "App id", placeholder: "any" },
  copies: { label: "Copies", number: true, value: "2" },
  span_s: { label: "Within seconds", number: true, value: "2" },
  how: { label: "Signature", options: ["forged", "missing", "wrong_secret", "sha1_only"] },
  what: { label: "What", options: ["extra_keys", "unknown_field", "unknown_type"] },
};
const TARGET = {
  to: { label: "Person", placeholder: "any: +15550001111 or a BSUID" },
  phone_number_id: { label: "Phone number id", placeholder: "any" },
  waba_id: { label: "WABA id", placeholder: "any" },
  template: { label: "Template", placeholder: "any" },
  token: { label: "Token", placeholder: "any" },
  method: { label: "Method", options: ["", "GET", "POST", "DELETE"] },
};
const SCHEDULE = {
  next: { label: "Times", number: true, placeholder: "1" },
  after: { label: "Spare the first", number: true, placeholder: "0" },
  every: { label: "Every n-th", number: true },
  probability: { label: "Probability", number: true, placeholder: "0 to 1" },
  seed: { label: "Seed", number: true },
  until_cleared: { label: "Until cleared", check: true },
};

// What each kind is called in the menu, by what it spoils.
const KINDS = {
  Answers: {
    error: "Graph error",
    http: "HTTP status of a gateway",
    drop_before: "Connection cut, nothing accepted",
    drop_after: "Connection cut after accepting",
    cut_answer: "Connection cut in mid-answer",
    delay: "Late answer",
    hang: "No answer at all",
    garbage: "Answer that is no JSON",
    truncate: "Half an answer",
    empty: "Empty answer",
  },
  "What follows a send": { fail_late: "Accepted, fails later", course: "Statuses in another order" },
  Webhooks: {
    webhook_loss: "Webhook lost",
    webhook_duplicate: "Webhook more than once",
    webhook_delay: "Late webhook",
    webhook_reorder: "Webhooks out of order",
    webhook_signature: "Webhook wrongly signed",
    webhook_inject: "Webhook with something new",
  },
};
const CALLED = Object.assign({}, ...Object.values(KINDS));
const READ_NEVER = "Fault armed in the simulator."; // the details of every error that was given none

const spaced = (words) => String(words).replaceAll("_", " ");
const spoken = (kind) => CALLED[kind] ?? spaced(kind);
const meant = (does) => does.replaceAll(/``?after_accept``?/g, `“${KEYS.after_accept.label}”`).replaceAll("`", "");

// One key of an armed fault in words.
function told(name, value) {
  const { label = spaced(name), options } = { ...KEYS, ...TARGET, ...SCHEDULE }[name] ?? {};
  return value === true ? label.toLowerCase() : `${label}: ${options ? spaced(value) : value}`;
}

export class FaultsRoom {
  id = "faults";
  title = "Faults";
  sign = "bolt";
  counts = "armed";
  urgent = true;
  always = true;

  constructor() {
    this.armed = [];
    this.kinds = [];
    this.kind = el("select", { "aria-label": "Kind" });
    this.kind.addEventListener("change", () => this.choose());
    this.does = el("p", { class: "does" });
    this.problem = el("p", { class: "problem", role: "alert" });
    this.own = el("div", { class: "fields" });
    this.places = el("select", { "aria-label": "Where" });
    const target = el("details", {}, el("summary", {}, "Whom it concerns"), this.group(TARGET, (this.target = {})));
    const schedule = el("details", { open: true }, el("summary", {}, "How often"), this.group(SCHEDULE, (this.schedule = {})));
    this.form = el("form", { class: "panel form" }, el("h2", {}, "Arm a fault"), el("div", { class: "fields" }, el("label", { class: "field" }, "Kind", this.kind), el("label", { class: "field" }, "Where", this.places)), this.does, this.own, schedule, target, this.problem, (this.strike = el("button", { type: "submit", class: "strong", disabled: true }, icon("bolt"), "Arm")));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.arm();
    });
    this.holding = el("input", { type: "checkbox", role: "switch" });
    this.holding.addEventListener("change", () => this.hold());
    this.held = el("small", {});
    this.list = el("ul", { class: "armed-list" });
    this.clear = el("button", { type: "button", class: "danger", onclick: () => this.disarm() }, "Disarm all");
    this.root = el(
      "div",
      { class: "fills" },
      head("Faults", "What goes wrong with the next calls and webhooks. Nothing ever fails here by accident.", this.clear),
      el("div", { class: "split wide-left" }, this.form, el("div", { class: "side-panel" }, el("label", { class: "panel toggle" }, el("span", { class: "two-lines" }, el("b", {}, "Hold status webhooks back"), this.held), this.holding), el("section", { class: "panel" }, el("h2", {}, "Armed now"), this.list))),
    );
  }

  get count() {
    return this.armed.length;
  }

  group(keys, into) {
    return el("div", { class: "fields" }, ...Object.entries(keys).map(([name, more]) => this.input(name, more, into)));
  }

  input(name, more, into) {
    const { label, options, check, number, value, placeholder, hint, checked } = more;
    const input = options
      ? el("select", {}, ...options.map((each) => el("option", { value: each, selected: each === value }, each ? spaced(each) : "any")))
      : el("input", { type: check ? "checkbox" : "text", inputmode: number ? "decimal" : null, value: check ? null : value ?? null, checked, placeholder, autocomplete: "off" });
    into[name] = { input, more };
    const id = hint ? freshId("hint") : null;
    if (id) input.setAttribute("aria-describedby", id);
    return el("label", { class: check ? "field tick" : "field" }, label, input, hint ? el("small", { id }, hint) : null);
  }

  async refresh() {
    const told = await get("/_sim/faults");
    if (!this.kinds.length) this.setUp(told);
    this.armed = told.armed;
    this.holding.checked = told.hold_webhooks;
    this.held.textContent = told.hold_webhooks ? `${told.held} held; they go out in their order when released` : "Off: they go out as they come";
    this.clear.disabled = !told.armed.length && !told.hold_webhooks;
    renew(this.list, ...(told.armed.length ? told.armed.map((each) => this.row(each)) : [el("li", {}, empty("Nothing is armed."))]));
  }

  setUp({ kinds, places }) {
    this.kinds = kinds;
    this.known = Array.isArray(places) ? places : Object.keys(places ?? {});
    const options = (some) => some.map((each) => el("option", { value: each.kind }, spoken(each.kind)));
    this.kind.replaceChildren(...Object.entries(KINDS).map(([label, of]) => el("optgroup", { label }, ...options(kinds.filter((each) => each.kind in of)))), ...options(kinds.filter((each) => !(each.kind in CALLED))));
    this.choose();
    this.strike.disabled = false; // what can be armed is known now
  }

  choose() {
    const kind = this.kinds.find((each) => each.kind === this.kind.value);
    const webhooks = kind.kind.startsWith("webhook_");
    this.does.textContent = meant(kind.does);
    this.keys = {};
    this.own.replaceChildren(...kind.keys.map((name) => this.input(name, this.key(kind, name), this.keys)));
    for (const name of kind.required) this.keys[name]?.input.setAttribute("required", "");
    const chosen = webhooks ? "webhooks" : "messages";
    const places = this.known.filter((each) => webhooks || each !== "webhooks");
    this.places.replaceChildren(...places.map((each) => el("option", { value: each, selected: each === chosen }, each === "*" ? "every call" : each.replaceAll("_", " "))));
    this.problem.textContent = "";
  }

  // How a key of a kind is filled in: from what it is when nothing is said.
  key(kind, name) {
    const known = KEYS[name] ?? { label: spaced(name) };
    const usual = kind.defaults[name];
    if (known.check) return { ...known, checked: usual === true };
    return usual === undefined || name === "details" || name === "content_type" ? known : { ...known, value: String(usual) };
  }

  given() {
    const fault = { kind: this.kind.value, on: this.places.value };
    for (const [name, { input, more }] of Object.entries({ ...this.keys, ...this.target, ...this.schedule })) {
      if (more.check ? input.checked !== Boolean(more.checked) : input.value.trim() !== "") fault[name] = more.check ? input.checked : more.number ? Number(input.value) : input.value.trim();
    }
    return fault;
  }

  async arm() {
    try {
      await call("/_sim/faults", this.given());
      this.problem.textContent = "";
      toast(`Armed: ${spoken(this.kind.value)}`);
      await this.refresh();
    } catch (refused) {
      this.problem.textContent = refused.message;
    }
  }

  row(fault) {
    const { id, kind, on, next, hits, seen, until_cleared: _, ...rest } = fault; // which `next` tells already
    const whole = { ...this.kinds.find((each) => each.kind === kind)?.defaults, ...rest };
    const shared = Object.entries(whole).filter(([, value]) => value !== false && value !== READ_NEVER).map(([name, value]) => told(name, value));
    const where = on === "webhooks" ? "" : ` on ${on === "*" ? "every call" : spaced(on)}`;
    const left = next == null ? "until cleared" : `${next} ${next === 1 ? "time" : "times"} left`;
    return el(
      "li",
      { class: "armed-row", "data-id": String(id) },
      el("span", { class: "sign" }, icon("bolt")),
      el("div", { class: "two-lines" }, el("b", {}, `${spoken(kind)}${where}`), shared.length ? el("small", {}, shared.join(" · ")) : null, el("small", {}, el("b", { class: hits ? "hits struck-once" : "hits" }, `hit ${hits}×`), ` of ${seen} seen · ${left}`)),
      el("button", { type: "button", class: "plain small", "aria-label": `Disarm ${spoken(kind)}`, onclick: () => this.disarm(id) }, "Disarm"),
    );
  }

  async disarm(id) {
    await call(id === undefined ? "/_sim/faults" : `/_sim/faults/${id}`, undefined, "DELETE").catch((problem) => toast(problem.message));
    await this.refresh();
  }

  async hold() {
    const { released } = await call("/_sim/faults", { hold_webhooks: this.holding.checked });
    if (released) toast(`${released} webhooks released`);
    await this.refresh();
  }
}
