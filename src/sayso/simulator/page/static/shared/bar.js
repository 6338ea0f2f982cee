// The bar at the top of both pages: where you are, what is armed, what time it is.

import { call, get, paced } from "./api.js";
import { clockTime, dayName, el, sameDay, span } from "./dom.js";
import { icon } from "./icons.js";

export const passing = (words) => `Let ${words} pass at once: whatever is due by then happens now, for everybody. Time does not go back.`;

const STEPS = [[300, "+5 min", "Let 5 minutes pass"], [3600, "+1 h", "Let 1 hour pass"], [86400, "+1 day", "Let 1 day pass"]];

export class Bar {
  constructor(here, world) {
    this.world = world;
    this.root = document.querySelector(".bar");
    this.away = el("p", { class: "away", role: "status" });
    this.armed = el("a", { class: "armed", href: "/desk#faults", hidden: true });
    this.time = el("time", { "aria-label": "Simulated time" });
    this.offset = el("span", { class: "offset", hidden: true });
    this.pace = el("span", { class: "pace", hidden: true });
    this.extra = el("div", { class: "bar-extra" });
    this.root.replaceChildren(
      el("a", { class: "brand", href: "/", "aria-label": "Sayso simulator, start page" }, el("img", { src: "/_sim/page/shared/mark.svg", alt: "", width: "28", height: "28" }), el("span", {}, "Sayso ", el("small", {}, "simulator"))),
      el("nav", { class: "places", "aria-label": "Pages" }, place("/", "Phones", here === "phones"), place("/desk", "Desk", here === "desk")),
      el("div", { class: "bar-end" }, this.away, this.armed, this.clock(), this.extra),
    );
    this.faults = paced(() => this.countFaults(), 300);
    setInterval(() => this.tick(), 1000);
  }

  clock() {
    const steps = STEPS.map(([seconds, words, label]) =>
      el("button", { type: "button", "data-advance": String(seconds), "aria-label": label, title: passing(words.slice(1)), onclick: () => this.move(seconds) }, words));
    return el("div", { class: "clock", role: "group", "aria-label": "Simulated clock" }, el("a", { href: "/desk#clock", title: "Freeze, speed up or set the clock" }, this.time, this.offset, this.pace), ...steps);
  }

  async move(seconds) {
    try {
      await call("/_sim/clock", { advance_s: seconds });
    } catch (problem) {
      this.away.textContent = problem.message;
    }
  }

  tick() {
    const { world } = this;
    if (!world.setAt) return;
    const now = world.now();
    const real = Date.now() / 1000;
    this.time.textContent = sameDay(now, real) ? clockTime(now) : `${dayName(now, real)} ${clockTime(now)}`;
    this.time.dateTime = new Date(now * 1000).toISOString();
    this.offset.hidden = Math.abs(now - real) < 30 || (world.speed === 0 && now < real); // a clock that stands still falls behind
    this.offset.classList.toggle("behind", now < real);
    this.offset.title = `${now < real ? "Behind" : "Ahead of"} the machine’s own time`;
    this.offset.textContent = `${now < real ? "−" : "+"}${span(Math.abs(now - real))}`;
    this.pace.hidden = world.speed === 1;
    const pace = world.speed === 0 ? "frozen" : `×${world.speed}`;
    if (this.pace.textContent !== pace) this.pace.replaceChildren(...(world.speed === 0 ? [icon("pause", "frozen"), el("span", { class: "words" }, pace)] : [pace]));
  }

  connected(yes) {
    this.away.textContent = yes ? "" : "Simulator not reachable, trying again…";
    if (yes) this.faults();
  }

  async countFaults() {
    const { armed, hold_webhooks: holding, held } = await get("/_sim/faults").catch(() => ({ armed: [] }));
    const words = [armed.length ? `${armed.length} ${armed.length === 1 ? "fault" : "faults"} armed` : "", holding ? `${held} held` : ""].filter(Boolean).join(" · ");
    this.armed.hidden = !words;
    this.armed.setAttribute("aria-label", words);
    this.armed.replaceChildren(icon("bolt"), String(armed.length || ""), el("span", { class: "words" }, words.replace(/^\d+ /, "")));
  }
}

function place(href, words, here) {
  return el("a", { href, "aria-current": here ? "page" : null }, words);
}

let shown = null;

// Says something for a moment at the foot of the page.
export function toast(words) {
  const box = document.getElementById("toast");
  box.textContent = words;
  clearTimeout(shown);
  shown = setTimeout(() => (box.textContent = ""), 3500);
}
