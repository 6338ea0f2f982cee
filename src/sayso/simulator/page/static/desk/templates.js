// The moderator's room: every template, and what may be done to it now.

import { call, get } from "../shared/api.js";
import { toast } from "../shared/bar.js";
import { el, renew } from "../shared/dom.js";
import { ask, chip, empty, head, human, intoView, moment } from "./parts.js";
import { previewOf } from "./preview.js";

const REASONS = ["INVALID_FORMAT", "ABUSIVE_CONTENT", "CATEGORY_NOT_AVAILABLE", "INCORRECT_CATEGORY", "PROMOTIONAL", "SCAM", "TAG_CONTENT_MISMATCH"];
const CATEGORIES = ["UTILITY", "MARKETING", "AUTHENTICATION"];

// What each action is called, what it needs to be told, and how it looks.
const ACTIONS = {
  approve: ["Approve", [], "strong"],
  reject: ["Reject…", [["reason", "Reason", { options: REASONS }], ["explanation", "Explanation", { rows: 2 }], ["recommendation", "Recommendation", { rows: 2 }]], "danger"],
  pause: ["Pause…", [["hours", "Hours", { number: true, hint: "Left empty: the next step of the ladder, 3 h, 6 h, then disabled (3.5)" }]], "plain"],
  unpause: ["Unpause", [], "plain"],
  disable: ["Disable", [], "danger"],
  quality: ["Quality…", [["score", "Score", { options: ["GREEN", "YELLOW", "RED", "UNKNOWN"] }]], "plain"],
  announce_category: ["Announce category…", [["category", "Category, from tomorrow", { options: CATEGORIES }]], "plain"],
  recategorise: ["Change category…", [["category", "Category, from now", { options: CATEGORIES }]], "plain"],
  appeal: ["Appeal", [], "plain"],
  flag: ["Flag", [], "plain"],
  reinstate: ["Reinstate", [], "plain"],
  hold: ["Hold messages (pacing)", [], "plain"],
  release: ["Release held messages", [], "strong"],
  drop: ["Drop held messages", [], "danger"],
  archive: ["Archive", [], "plain"],
  unarchive: ["Unarchive", [], "plain"],
  delete: ["Delete", [], "danger"],
};

const DECIDE = ["To decide yourself choose “by you” above, or start with ", el("code", {}, "--review moderator"), "."];

// How what is submitted from now on is reviewed, and what that means while nothing waits.
const REVIEWS = {
  delayed: [(seconds) => `by itself after ${seconds} s`, (seconds) => [`Nothing waits: verdicts fall by themselves ${seconds} s after a template was submitted. `, ...DECIDE]],
  instant: [() => "by itself, at once", () => ["Nothing waits: verdicts fall by themselves, at once. ", ...DECIDE]],
  moderator: [() => "by you, the moderator", () => ["Nothing waits. You are the moderator: what is submitted next waits here for your verdict."]],
};

const GROUPS = [["Waiting for you", (each) => each.status === "PENDING" || each.status === "IN_APPEAL"], ["In use", (each) => each.status === "APPROVED"], ["Not in use", () => true]];

export class TemplatesRoom {
  id = "templates";
  title = "Templates";
  sign = "template";
  counts = "waiting for review";
  always = true;

  constructor(world) {
    this.world = world;
    this.all = [];
    this.chosen = null;
    this.seek = el("input", { type: "search", class: "seek", placeholder: "Search name, text, status", "aria-label": "Search templates" });
    this.seek.addEventListener("input", () => this.draw());
    this.list = el("div", { class: "shelf" });
    this.review = { how: "delayed", after_s: 0 };
    this.reviewed = el("select", { class: "pick", "aria-label": "Templates are reviewed", onchange: () => this.reviewOtherwise() });
    this.detail = el("article", { class: "sheet-of", "aria-live": "polite" });
    this.root = el("div", { class: "fills" }, head("Templates", "What was submitted for review, and what became of it. A verdict reaches the business by webhook.", el("label", { class: "in-line explain" }, "Reviewed", this.reviewed)), el("div", { class: "split" }, el("div", { class: "side" }, this.seek, this.list), this.detail));
  }

  get count() {
    return this.all.filter(GROUPS[0][1]).length;
  }

  get urgent() {
    return this.count > 0;
  }

  enter(id) {
    if (id) this.chosen = id;
  }

  async refresh() {
    [{ templates: this.all }, this.review] = await Promise.all([get("/_sim/templates"), get("/_sim/review")]);
    if (!this.all.some((each) => each.id === this.chosen)) this.chosen = (this.all.find(GROUPS[0][1]) ?? this.all[0])?.id;
    this.draw();
  }

  draw() {
    const words = this.seek.value.trim().toLowerCase();
    const left = new Set(this.all.filter((each) => !words || JSON.stringify([each.name, each.status, each.category, each.language, each.components]).toLowerCase().includes(words)));
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    const { how, after_s: seconds } = this.review;
    this.reviewed.replaceChildren(...Object.entries(REVIEWS).map(([value, [called]]) => el("option", { value, selected: value === how }, called(seconds))));
    const shelves = this.count ? [] : [el("p", { class: "explain nothing-waits" }, ...REVIEWS[how][1](seconds))];
    for (const [title, belongs] of GROUPS) {
      const group = [...left].filter(belongs).sort((one, other) => other.updated_at - one.updated_at);
      for (const each of group) left.delete(each);
      if (group.length) shelves.push(el("h2", {}, title), el("ul", {}, ...group.map((each) => el("li", {}, this.row(each)))));
    }
    if (!shelves.some((each) => each.tagName === "UL")) shelves.push(empty(words ? "No template has these words." : "No templates yet."));
    renew(this.list, ...shelves);
    if (focused) this.list.querySelector(`[data-id="${focused}"]`)?.focus();
    this.show();
  }

  row(template) {
    return el(
      "button",
      { type: "button", class: "shelf-row", "data-id": template.id, "aria-current": template.id === this.chosen ? "true" : null, onclick: () => this.choose(template.id) },
      el("b", {}, template.name),
      chip(template.status),
      el("small", {}, `${template.language} · ${human(template.category)}`),
      template.quality !== "UNKNOWN" ? el("span", { class: `dot ${template.quality.toLowerCase()}`, title: `Quality ${template.quality}` }) : null,
    );
  }

  choose(id) {
    this.chosen = id;
    history.replaceState(null, "", `#templates/${id}`);
    this.draw();
    intoView(this.detail);
  }

  async reviewOtherwise() {
    await call("/_sim/review", { how: this.reviewed.value }).catch((problem) => toast(problem.message));
    await this.refresh();
  }

  show() {
    const template = this.all.find((each) => each.id === this.chosen);
    if (!template) return this.detail.replaceChildren(empty("Choose a template."));
    const drawn = JSON.stringify(template);
    if (drawn === this.drawn) return undefined;
    this.drawn = drawn;
    const now = this.world.setAt ? this.world.now() : Date.now() / 1000;
    return this.detail.replaceChildren(
      el("header", {}, el("h2", {}, template.name), chip(template.status), chip(template.category, "plain-tone"), template.quality === "UNKNOWN" ? null : chip(template.quality)),
      el("div", { class: "look-and-facts" }, previewOf(template), this.facts(template, now)),
      el("div", { class: "verdict", role: "group", "aria-label": "What to do with it" }, ...template.actions.map((name) => this.button(template, name))),
      el("details", {}, el("summary", {}, "Components as submitted"), el("pre", { tabindex: "0" }, JSON.stringify(template.components, null, 2))),
    );
  }

  facts(template, now) {
    const rows = [
      ["Language", template.language],
      ["Id", template.id],
      ["Parameters", human(template.parameter_format)],
      ["Changed", template.updated_at ? moment(template.updated_at, now) : "there from the start"],
      template.review_due ? ["Verdict falls", moment(template.review_due, now)] : null,
      template.rejected_reason !== "NONE" ? ["Rejected", [human(template.rejected_reason), template.rejection?.reason, template.rejection?.recommendation].filter(Boolean).join(" · ")] : null,
      template.correct_category && template.correct_category !== template.category ? ["Should be", human(template.correct_category)] : null,
      template.previous_category ? ["Was before", human(template.previous_category)] : null,
      template.category_due ? ["Category changes", moment(template.category_due, now)] : null,
      template.ttl_s ? ["Time to live", `${template.ttl_s} s`] : null,
      template.pauses ? ["Paused so far", `${template.pauses}×`] : null,
      template.paused_until ? ["Paused until", moment(template.paused_until, now)] : null,
      template.pacing ? ["Pacing", `holds its messages, ${template.held} now`] : null,
    ].filter(Boolean);
    return el("dl", { class: "facts" }, ...rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
  }

  button(template, name) {
    const [words, fields, look] = ACTIONS[name] ?? [human(name.toUpperCase()), [], "plain"];
    const act = (given) => this.act(template, name, given);
    const press = fields.length ? () => ask(`${words.replace("…", "")}: ${template.name}`, fields, words.replace("…", ""), act, look === "danger" ? "danger" : "strong") : () => act({}).catch((problem) => toast(problem.message));
    return el("button", { type: "button", class: look, onclick: press }, words);
  }

  async act(template, name, given) {
    const changed = await call(`/_sim/templates/${template.id}/${name}`, given);
    toast(`${template.name}: ${human(changed.status ?? "DELETED").toLowerCase()}`);
    await this.refresh();
  }

  say(words) {
    this.list.replaceChildren(empty(words));
  }
}
