// Accounts: portfolios and their limits, numbers and how they stand, tokens, apps.

import { call, copyText, get } from "../shared/api.js";
import { toast } from "../shared/bar.js";
import { el, phoneNumber } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { ask, chip, choice, head, human, meter, moment } from "./parts.js";

const TIERS = ["TIER_50", "TIER_250", "TIER_1K", "TIER_2K", "TIER_10K", "TIER_100K", "TIER_UNLIMITED"];
const QUALITIES = ["GREEN", "YELLOW", "RED", "UNKNOWN"];
const STATUSES = ["CONNECTED", "PENDING", "FLAGGED", "RESTRICTED", "RATE_LIMITED", "DISCONNECTED", "BANNED"];
const THROUGHPUTS = ["STANDARD", "HIGH"];
const SUBCODES = ["460", "467"];

export class NumbersRoom {
  id = "numbers";
  title = "Numbers";
  sign = "sim";
  pause = 400;

  constructor(world) {
    this.world = world;
    this.body = el("div", { class: "accounts" });
    const add = el("button", { type: "button", class: "strong", onclick: () => this.addNumber() }, icon("plus"), "Add a number");
    this.root = el("div", { class: "fills" }, head("Numbers & tiers", "What the business has at Meta, what it has used of its limits, and what Meta does to it.", add), this.body);
  }

  async refresh() {
    const [told, used] = await Promise.all([get("/_sim/accounts"), get("/_sim/used")]);
    this.told = told;
    if (this.body.contains(document.activeElement) && document.activeElement.tagName === "SELECT") return; // a choice is being made
    const drawn = JSON.stringify([told, used, this.world.setAt > 0]);
    if (drawn === this.drawn) return; // what looks as it did stays in place, and a press on it counts
    this.drawn = drawn;
    this.body.replaceChildren(...told.portfolios.map((each) => this.portfolio(each, used)), this.tokens(), this.apps());
  }

  // Changes something and shows how it stands then; a refusal is said and undone.
  async change(path, body) {
    try {
      await call(path, body);
      document.activeElement?.blur();
    } catch (problem) {
      document.activeElement?.blur();
      toast(problem.message);
    }
    this.drawn = null;
    await this.refresh();
  }

  portfolio(portfolio, used) {
    const { reached = 0, limit = null } = used.portfolios.find((each) => each.id === portfolio.id) ?? {};
    const wabas = this.told.wabas.filter((each) => each.portfolio_id === portfolio.id);
    return el(
      "section",
      { class: "panel", "aria-label": `Portfolio ${portfolio.name}` },
      el("header", { class: "panel-head" }, el("h2", {}, portfolio.name, el("small", {}, `portfolio ${portfolio.id}`)), choice("Messaging limit", TIERS, portfolio.tier, (tier) => this.change(`/_sim/portfolios/${portfolio.id}`, { tier })), meter("People reached outside windows, last 24 h", reached, limit)),
      ...wabas.map((waba) => this.waba(waba, used)),
    );
  }

  waba(waba, used) {
    const numbers = this.told.numbers.filter((each) => each.waba_id === waba.id);
    return el(
      "div",
      { class: "waba" },
      el("div", { class: "in-line" }, el("h3", {}, waba.name, el("small", {}, `WABA ${waba.id}`)), chip(waba.account_review_status), this.restriction(`/_sim/wabas/${waba.id}`, waba.restriction, waba.name)),
      el("div", { class: "number-cards" }, ...numbers.map((each) => this.number(each, used.numbers.find((of) => of.id === each.id)))),
    );
  }

  number(number, used) {
    const change = (what) => this.change(`/_sim/numbers/${number.id}`, what);
    return el(
      "article",
      { class: "number-card", "aria-label": number.verified_name },
      el("header", {}, el("div", { class: "two-lines" }, el("b", {}, number.verified_name), el("small", {}, `${phoneNumber(number.display_phone_number)} · id ${number.id}`)), chip(number.status)),
      el(
        "div",
        { class: "fields" },
        choice("Quality", QUALITIES, number.quality_rating, (quality_rating) => change({ quality_rating })),
        choice("Throughput", THROUGHPUTS, number.throughput, (throughput) => change({ throughput })),
        choice("Status", STATUSES, number.status, (status) => change({ status })),
      ),
      used ? meter("Messages this second", used.this_second, used.per_second) : null,
      used ? meter("Free service messages this month", used.free_service_used, used.free_service) : null,
      el(
        "div",
        { class: "acts" },
        el("button", { type: "button", class: "plain small", onclick: () => change({ registered: !number.registered }) }, number.registered ? "Deregister" : "Register"),
        this.restriction(`/_sim/numbers/${number.id}`, number.restriction, number.verified_name),
        number.override_callback_uri ? el("small", {}, `webhooks go to ${number.override_callback_uri}`) : null,
      ),
    );
  }

  restriction(path, now, name) {
    if (now) return el("span", { class: "in-line" }, el("span", { class: "tag bad", title: now.details }, `${now.code}${now.late ? " by webhook" : ""}`), el("button", { type: "button", class: "plain small", onclick: () => this.change(path, { restriction: null }) }, "Lift"));
    const fields = [["code", "Error code", { number: true, required: true, value: "131031", hint: "368 policy, 131031 locked, 130497 country, 131042 payment, 131057 maintenance" }], ["details", "Details", { rows: 2 }], ["late", "Told", { options: ["at once", "by webhook"] }]];
    const restrict = async ({ late, ...given }) => {
      await call(path, { restriction: { ...given, late: late === "by webhook" } });
      await this.refresh();
    };
    return el("button", { type: "button", class: "plain small", onclick: () => ask(`Restrict ${name}`, fields, "Restrict", restrict, "danger") }, icon("block"), "Restrict…");
  }

  addNumber() {
    const wabas = this.told.wabas.map((each) => each.id);
    ask("Add a number", [["phone", "Number", { required: true, placeholder: "+1 555 010 0001" }], ["verified_name", "Name people see", { required: true }], ["waba_id", "WABA", { options: wabas }]], "Add", async (given) => {
      await call("/_sim/numbers", given);
      await this.refresh();
    });
  }

  // --- tokens and apps

  tokens() {
    const rows = this.told.tokens.map((token) => el(
      "tr",
      {},
      el("td", {}, el("code", {}, token.value.length > 26 ? `${token.value.slice(0, 22)}…` : token.value), " ", el("button", { type: "button", class: "ghost tiny", "aria-label": "Copy token", onclick: () => copyText(token.value).then(() => toast("Token copied"), () => {}) }, icon("copy"))),
      el("td", {}, chip(token.state)),
      el("td", {}, human(token.kind)),
      el("td", {}, token.scopes.map((each) => each.replace("whatsapp_business_", "")).join(", ")),
      el("td", {}, token.expires_at ? moment(token.expires_at, this.world.setAt ? this.world.now() : token.expires_at) : "never"),
      el("td", {}, el("div", { class: "acts" }, ...this.tokenActs(token))),
    ));
    const add = () => ask("New token", [["expires_in_s", "Expires in seconds", { number: true, hint: "Left empty: never. System user tokens live 60 days: 5184000" }]], "Issue", async (given) => {
      await call("/_sim/tokens", given);
      await this.refresh();
    });
    return el("section", { class: "panel", "aria-label": "Tokens" }, el("header", { class: "panel-head" }, el("h2", {}, "Tokens"), el("button", { type: "button", class: "plain small", onclick: add }, icon("plus"), "New token")), table(["Token", "State", "Kind", "Scopes", "Expires", ""], rows));
  }

  tokenActs(token) {
    const path = `/_sim/tokens/${encodeURIComponent(token.value)}`;
    const act = (words, body) => el("button", { type: "button", class: "plain small", onclick: () => this.change(path, body) }, words);
    if (token.state !== "valid") return [act("Make valid", { expires_in_s: null, subcode: null })];
    return [act("Expire", { expires_in_s: 0 }), act("Invalidate", { subcode: Number(SUBCODES[0]) })];
  }

  apps() {
    const rows = this.told.apps.map((app) => el(
      "tr",
      {},
      el("td", {}, el("b", {}, app.name), el("br"), el("small", {}, app.id)),
      el("td", { class: "path" }, app.subscription ? app.subscription.callback_url : "not subscribed"),
      el("td", {}, app.subscription ? app.subscription.verification : "–"),
      el("td", {}, el("label", { class: "in-line" }, el("input", { type: "checkbox", checked: app.require_proof, onchange: (event) => this.change(`/_sim/apps/${app.id}`, { require_proof: event.target.checked }) }), "appsecret_proof required")),
    ));
    return el("section", { class: "panel", "aria-label": "Apps" }, el("header", { class: "panel-head" }, el("h2", {}, "Apps")), table(["App", "Webhooks go to", "Verification", ""], rows));
  }
}

function table(columns, rows) {
  return el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": columns[0] }, el("table", { class: "plain-table" }, el("thead", {}, el("tr", {}, ...columns.map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, ...rows)));
}
