// Time, and the whole world: freeze, hurry, set; save, put back, start over.

import { call, get } from "../shared/api.js";
import { passing, toast } from "../shared/bar.js";
import { el, span } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { head } from "./parts.js";

const LONG = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const FINE = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const SPEEDS = [[0, "Frozen"], [1, "×1"], [10, "×10"], [60, "×60"], [3600, "×3600"]];
const JUMPS = [[60, "1 min"], [300, "5 min"], [3600, "1 h"], [21600, "6 h"], [86400, "1 day"], [604800, "7 days"], [2592000, "30 days"]];

export class ClockRoom {
  id = "clock";
  title = "Clock & state";
  sign = "clock";

  constructor(world) {
    this.world = world;
    this.time = el("p", { class: "big-time", "aria-live": "off" });
    this.date = el("p", { class: "big-date" });
    this.ahead = el("p", { class: "explain" });
    this.back = el("button", { type: "button", class: "plain small", hidden: true, onclick: () => this.catchUp() }, icon("clock"), "To the machine’s own time");
    this.problem = el("p", { class: "problem", role: "alert" });
    this.speeds = el("div", { class: "choice", role: "group", "aria-label": "Speed" });
    const when = el("input", { type: "datetime-local", step: "1", "aria-label": "Moment" });
    const set = () => when.value && this.move({ set: new Date(when.value).toISOString() });
    const jumps = JUMPS.map(([seconds, words]) => el("button", { type: "button", class: "plain small", title: passing(words), onclick: () => this.move({ advance_s: seconds }) }, `+${words}`));
    this.root = el(
      "div",
      { class: "fills" },
      head("Clock & state", "Everything later (statuses, reviews, retries, windows) happens on this clock."),
      el(
        "div",
        { class: "tiles" },
        el("section", { class: "panel now" }, el("h2", { class: "unseen" }, "Now"), this.time, this.date, this.ahead, this.back, this.speeds),
        el("section", { class: "panel" }, el("h2", {}, "Let time pass"), el("p", { class: "explain" }, "What falls into it happens in its order, each thing at its own moment."), el("div", { class: "acts" }, ...jumps), el("h3", {}, "Until a moment"), el("div", { class: "in-line" }, el("div", { class: "field" }, when), el("button", { type: "button", class: "strong", onclick: set }, "Set")), this.problem),
        this.statePanel(),
      ),
    );
  }

  statePanel() {
    const file = el("input", { type: "file", accept: "application/json,.json", class: "unseen", "aria-label": "Snapshot file" });
    file.addEventListener("change", () => this.restore(file));
    const reset = el("button", { type: "button", class: "danger" }, "Reset everything");
    reset.addEventListener("click", () => this.reset(reset));
    reset.addEventListener("blur", () => this.doubt(reset));
    return el(
      "section",
      { class: "panel" },
      el("h2", {}, "The whole state"),
      el("p", { class: "explain" }, "A snapshot holds accounts, people, messages, media, templates, limits and the clock: one JSON file that can be put back here or at the start."),
      el("div", { class: "acts" }, el("a", { class: "plain", href: "/_sim/snapshot", download: "simulator.json" }, icon("download"), "Download snapshot"), el("button", { type: "button", class: "plain", onclick: () => file.click() }, icon("upload"), "Put one back"), reset),
      file,
    );
  }

  async refresh() {
    this.world.setClock(await get("/_sim/clock"));
    this.tick();
  }

  tick() {
    if (!this.world.setAt) return;
    const now = this.world.now();
    const ahead = now - Date.now() / 1000;
    this.time.textContent = FINE.format(now * 1000);
    this.date.textContent = LONG.format(now * 1000);
    const off = Math.abs(ahead) >= 2;
    this.ahead.textContent = off ? `${span(Math.abs(ahead))} ${ahead > 0 ? "ahead of" : "behind"} the machine’s own time.${ahead > 0 ? " Time only moves forward: only a reset goes back to it." : ""}` : "The machine’s own time.";
    this.back.hidden = !off || ahead > 0;
    if (this.shown === this.world.speed) return;
    this.shown = this.world.speed;
    this.speeds.replaceChildren(...SPEEDS.map(([speed, words]) => el("button", { type: "button", "aria-pressed": String(speed === this.world.speed), onclick: () => this.move(speed ? { speed } : { freeze: true }) }, words)));
  }

  // What the clock fell behind while it stood still or ran slowly, as the simulator counts it.
  async catchUp() {
    const { offset_s: offset } = await get("/_sim/clock");
    await this.move({ advance_s: Math.max(0, -offset) });
  }

  async move(body) {
    try {
      this.world.setClock(await call("/_sim/clock", body));
      this.problem.textContent = "";
      this.tick();
    } catch (refused) {
      this.problem.textContent = refused.message;
    }
  }

  async restore(file) {
    try {
      await call("/_sim/snapshot", JSON.parse(await file.files[0].text()));
      toast("The state was put back");
    } catch (refused) {
      this.problem.textContent = refused.message;
    }
    file.value = "";
  }

  // Asked twice: the first press says what the second will do, for as long as one stays at it.
  async reset(button) {
    if (!button.dataset.sure) {
      button.dataset.sure = "yes";
      button.textContent = "Really forget everything?";
      return;
    }
    this.doubt(button);
    await call("/_sim/reset", {});
    toast("Everything is as at the start");
  }

  doubt(button) {
    delete button.dataset.sure;
    button.textContent = "Reset everything";
  }
}
