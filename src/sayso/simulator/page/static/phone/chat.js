// One conversation on a phone: a person and one business number.

import { call } from "../shared/api.js";
import { toast } from "../shared/bar.js";
import { clockTime, dayName, el, sameDay, span } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { bubbleOf, showState } from "./bubble.js";
import { Composer } from "./composer.js";
import { shutMenuOf } from "./menu.js";
import { aboutBusiness } from "./profile.js";

const NEAR_END = 120;
const DRAWN_AT_MOST = 300;

export class Chat {
  constructor(phone, number) {
    this.phone = phone;
    this.world = phone.world;
    this.screen = phone.screen;
    this.wa_id = phone.wa_id;
    this.numberId = number.phone_number_id;
    this.draft = phone.drafts(this.numberId);
    this.made = new Map();
    this.following = true;
    this.lastTop = 0;
    this.build();
    this.redraw();
  }

  get person() {
    return this.world.people.get(this.wa_id);
  }

  get number() {
    return this.world.number(this.numberId);
  }

  get messages() {
    return this.world.chat(this.numberId, this.wa_id);
  }

  build() {
    this.log = el("div", { class: "log", role: "log", "aria-live": "polite", "aria-label": "Messages", tabindex: "0" });
    this.log.addEventListener("scroll", () => this.scrolled());
    this.log.addEventListener("keydown", (event) => this.walk(event));
    this.log.addEventListener("load", () => this.following && this.toEnd(), true);
    new ResizeObserver(() => this.following && this.toEnd()).observe(this.log);
    this.down = el("button", { type: "button", class: "down", hidden: true, "aria-label": "To the newest message", onclick: () => this.toEnd() }, icon("down"));
    this.windowWords = el("span", {});
    this.strip = el("p", { class: "window" }, icon("clock"), icon("lock"), this.windowWords);
    this.composer = new Composer(this);
    this.root = el("div", { class: "chat" }, this.header(), this.strip, el("div", { class: "talk" }, this.log, this.down), this.composer.root);
  }

  header() {
    this.presence = el("span", { class: "presence", role: "status" });
    const name = this.number.verified_name;
    return el(
      "header",
      { class: "contact" },
      el("button", { type: "button", class: "back", "aria-label": this.phone.several ? "Back to the chats" : "Back to the list of people", onclick: () => this.phone.back() }, icon("back")),
      this.phone.face(this.number),
      el("h2", {}, el("span", {}, name), icon("verified", "verified business")),
      this.presence,
      el("button", { type: "button", class: "ghost about", "aria-label": `About ${name}`, onclick: () => aboutBusiness(this) }, icon("more")),
    );
  }

  // --- what is shown

  redraw() {
    const keep = this.following;
    this.made.clear();
    this.log.replaceChildren();
    for (const message of this.messages) this.append(message);
    if (!this.messages.length) this.log.append(el("p", { class: "notice" }, "Nothing here yet. Whatever this person writes opens a 24-hour window in which the business may answer freely."));
    this.composer.keepQuote();
    this.tick();
    if (keep) this.toEnd();
  }

  // Draws what is new or has changed; `changed` holds messages, drawn anew unless only their state changed.
  update(fresh, changed) {
    for (const message of fresh.slice(-DRAWN_AT_MOST)) {
      this.following ||= !message.from_business;
      this.log.querySelector(".notice")?.remove();
      if (message === this.messages.at(-1) || fresh.length > 1) this.append(message);
      else return this.redraw();
    }
    for (const [message, whole] of changed) {
      const made = this.made.get(message.wamid);
      if (!made) continue;
      if (whole) this.replace(message, made);
      else showState(made, message);
    }
    this.composer.keepQuote();
    this.trim();
    if (this.following) this.toEnd();
    else this.toggleDown();
  }

  append(message) {
    const { messages } = this;
    const at = message === messages.at(-1) ? messages.length - 1 : messages.indexOf(message);
    const before = messages[at - 1];
    if (!before || !sameDay(before.at, message.at)) this.put(el("p", { class: "day", "data-at": String(message.at) }, dayName(message.at, this.world.now())));
    const bubble = bubbleOf(message, this);
    const follows = before && before.from_business === message.from_business && sameDay(before.at, message.at);
    bubble.classList.toggle("first", !follows);
    this.made.get(message.wamid)?.remove();
    this.made.set(message.wamid, bubble);
    this.put(bubble);
  }

  put(made) {
    this.log.insertBefore(made, this.typing?.isConnected ? this.typing : null);
  }

  replace(message, made) {
    shutMenuOf(message);
    const bubble = bubbleOf(message, this);
    bubble.classList.toggle("first", made.classList.contains("first"));
    made.replaceWith(bubble);
    this.made.set(message.wamid, bubble);
  }

  trim() {
    for (const [wamid, made] of this.made) {
      if (this.made.size <= DRAWN_AT_MOST) break;
      made.remove();
      this.made.delete(wamid);
    }
    while (this.log.children[1]?.classList.contains("day") && this.log.firstChild.classList?.contains("day")) this.log.firstChild.remove();
  }

  // Once a second: everything that depends on simulated time.
  tick() {
    const now = this.world.now();
    const { until = null, typing_until: typing, free_until: free } = this.person.windows[this.numberId] ?? {};
    this.showWindow(now, until, free);
    this.showTyping(typing != null && typing > now);
    for (const day of this.log.querySelectorAll(".day")) day.textContent = dayName(Number(day.dataset.at), now);
  }

  showWindow(now, until, free) {
    const open = until != null && now < until;
    const blocked = this.person.blocked_by.includes(this.numberId);
    this.strip.classList.toggle("open", open && !blocked);
    if (blocked) this.windowWords.textContent = "You blocked this business · nothing arrives";
    else if (free != null && now < free) this.windowWords.textContent = `Free entry until ${this.moment(free, now)} · ${span(free - now)}`;
    else if (open) this.windowWords.textContent = `Window open until ${this.moment(until, now)} · ${span(until - now)}`;
    else this.windowWords.textContent = until == null ? "Window closed · only templates arrive" : `Window closed since ${clockTime(until)} · only templates arrive`;
  }

  moment(at, now) {
    return `${sameDay(at, now) ? "" : `${dayName(at, now).toLowerCase()} `}${clockTime(at)}`;
  }

  showTyping(on) {
    const words = on ? "typing…" : "Business account";
    if (this.presence.textContent !== words) this.presence.textContent = words;
    this.presence.classList.toggle("typing", on);
    if (on && !this.typing?.isConnected) {
      this.typing = el("div", { class: "message theirs first dots", "aria-hidden": "true" }, el("div", { class: "bubble" }, el("i"), el("i"), el("i")));
      this.log.append(this.typing);
      if (this.following) this.toEnd();
    } else if (!on) {
      this.typing?.remove();
    }
  }

  // --- getting about

  atEnd() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_END;
  }

  // Only a hand that scrolls up stops following; what grows below does not.
  scrolled() {
    if (this.atEnd()) this.following = true;
    else if (this.log.scrollTop < this.lastTop - 2) this.following = false;
    this.lastTop = this.log.scrollTop;
    this.toggleDown();
  }

  toEnd() {
    this.following = true;
    this.log.scrollTop = this.log.scrollHeight;
    this.toggleDown();
  }

  toggleDown() {
    this.down.hidden = this.atEnd();
  }

  // Leads the eye to a message, such as the one that was quoted.
  show(wamid) {
    const made = this.made.get(wamid);
    if (!made) return;
    made.scrollIntoView({ block: "center", behavior: "smooth" });
    made.classList.remove("shown");
    requestAnimationFrame(() => made.classList.add("shown"));
  }

  // Arrow keys go from message to message; Enter opens what can be done with one, Escape goes back to writing.
  walk(event) {
    const bubbles = [...this.made.values()];
    const at = bubbles.indexOf(document.activeElement);
    const wanted = { ArrowUp: at < 0 ? bubbles.length - 1 : at - 1, ArrowDown: at + 1, Home: 0, End: bubbles.length - 1 }[event.key];
    if (event.key === "Escape") this.composer.field.focus();
    if (wanted === undefined || (event.target !== this.log && at < 0)) return;
    event.preventDefault();
    if (wanted >= bubbles.length) this.composer.field.focus();
    else bubbles[Math.max(0, wanted)]?.focus();
  }

  enterLog() {
    [...this.made.values()].at(-1)?.focus();
  }

  // --- what the person does

  async send(said) {
    try {
      const told = await this.tell(said);
      this.composer.problem.textContent = "";
      return told;
    } catch (problem) {
      this.composer.problem.textContent = problem.message;
      return null;
    }
  }

  async tell(said) {
    const told = await call("/_sim/inbound", { from: `+${this.wa_id}`, ...(this.phone.several ? { to: this.numberId } : {}), ...said });
    if (told.reached === false && told.why) toast(told.why);
    return told;
  }
}
