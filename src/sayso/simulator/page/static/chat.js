// One phone: a conversation of one person with the business.

import { call } from "./api.js";
import { bubbleOf, showStatus } from "./bubble.js";
import { clockTime, dayName, el, phoneNumber, sameDay, span } from "./dom.js";
import { preview } from "./format.js";
import { icon } from "./icons.js";

const NEAR_END = 120;

export class Phone {
  constructor(world, wa_id, { back, chosen }) {
    this.world = world;
    this.wa_id = wa_id;
    this.made = new Map();
    this.quoted = null;
    this.build(back);
    this.root.addEventListener("focusin", () => chosen(this));
    this.root.addEventListener("pointerdown", () => chosen(this));
    this.refill();
  }

  get person() {
    return this.world.people.get(this.wa_id);
  }

  build(back) {
    this.log = el("div", { class: "log", role: "log", "aria-live": "polite", "aria-label": "Messages", tabindex: "0" });
    this.following = true;
    this.log.addEventListener("scroll", () => {
      this.following = this.atEnd();
      this.toggleDown();
    });
    new ResizeObserver(() => this.following && this.toEnd()).observe(this.log);
    this.down = el("button", { type: "button", class: "down", hidden: true, "aria-label": "To the newest message", onclick: () => this.toEnd() }, icon("down"));
    this.root = el(
      "section",
      { class: "phone", "aria-label": `${this.person.name}'s phone` },
      this.caption(),
      el(
        "div",
        { class: "case" },
        el(
          "div",
          { class: "screen" },
          this.statusBar(),
          this.header(back),
          this.windowStrip(),
          el("div", { class: "talk" }, this.log, this.down),
          this.composer(),
        ),
      ),
    );
  }

  caption() {
    this.called = el("b", {}, this.person.name);
    return el("header", { class: "caption" }, this.called, el("span", {}, phoneNumber(this.wa_id)));
  }

  statusBar() {
    this.time = el("time", {});
    return el("div", { class: "status-bar", "aria-hidden": "true" }, this.time, el("span", {}, icon("signal"), icon("battery")));
  }

  header(back) {
    const business = this.world.business;
    this.presence = el("span", { class: "presence", role: "status" });
    return el(
      "header",
      { class: "contact" },
      el("button", { type: "button", class: "back", "aria-label": "Back to the list of people", onclick: back }, icon("back")),
      el("img", { class: "avatar", src: "/_sim/page/mark.svg", alt: "" }),
      el("h2", {}, business.verified_name, icon("verified", "verified business")),
      this.presence,
    );
  }

  windowStrip() {
    this.windowWords = el("span", {});
    this.strip = el("p", { class: "window" }, icon("clock"), icon("lock"), this.windowWords);
    return this.strip;
  }

  composer() {
    this.field = el("textarea", { rows: "1", placeholder: "Message", "aria-label": `Message as ${this.person.name}`, maxlength: "65536" });
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("input", () => this.fit());
    this.quoteWords = el("span", {});
    this.quoteBox = el(
      "div",
      { class: "quoting", hidden: true },
      el("div", { class: "quote theirs" }, el("b", {}, "Reply"), this.quoteWords),
      el("button", { type: "button", "aria-label": "Do not quote", onclick: () => this.quote(null) }, icon("close")),
    );
    this.problem = el("p", { class: "problem", role: "alert" });
    const form = el(
      "form",
      { class: "composer" },
      this.problem,
      this.quoteBox,
      this.field,
      el("button", { type: "submit", class: "send", "aria-label": "Send" }, icon("send")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.write();
    });
    return form;
  }

  // --- what is shown

  refill() {
    this.made.clear();
    this.log.replaceChildren();
    const thread = this.world.thread(this.wa_id);
    for (const message of thread) this.append(message);
    if (!thread.length) this.log.append(this.nothing());
    this.tick();
    this.toEnd();
  }

  nothing() {
    return el("p", { class: "notice" }, "Nothing here yet. Whatever this person writes opens a 24-hour window in which the business may answer freely.");
  }

  add(message) {
    this.following ||= !message.from_business;
    this.log.querySelector(".notice")?.remove();
    this.append(message);
    this.settle();
  }

  append(message) {
    const thread = this.world.thread(this.wa_id);
    const before = thread[thread.indexOf(message) - 1];
    if (!before || !sameDay(before.at, message.at)) {
      this.log.append(el("p", { class: "day", "data-at": String(message.at) }, dayName(message.at, this.world.now())));
    }
    const bubble = bubbleOf(message, {
      business: this.world.business,
      person: this.person,
      tap: (tapped, place) => this.send({ tap: { message_id: tapped.wamid, button: place } }),
      reply: (quoted) => this.quote(quoted),
    });
    const follows = before && before.from_business === message.from_business && sameDay(before.at, message.at);
    bubble.classList.toggle("first", !follows);
    this.made.set(message.wamid, bubble);
    this.log.insertBefore(bubble, this.typing?.isConnected ? this.typing : null);
  }

  update(message) {
    const bubble = this.made.get(message.wamid);
    if (bubble) showStatus(bubble, message);
    this.settle();
  }

  // Once a second: everything that depends on simulated time.
  tick() {
    const now = this.world.now();
    const { name, window_until: until, typing_until: typing } = this.person;
    this.time.textContent = clockTime(now);
    this.called.textContent = name;
    this.showWindow(now, until);
    this.showTyping(typing != null && typing > now);
    for (const day of this.log.querySelectorAll(".day")) day.textContent = dayName(Number(day.dataset.at), now);
  }

  showWindow(now, until) {
    const open = until != null && now < until;
    this.strip.classList.toggle("open", open);
    if (open) {
      const day = sameDay(until, now) ? "" : `${dayName(until, now).toLowerCase()} `;
      this.windowWords.textContent = `Window open until ${day}${clockTime(until)} · ${span(until - now)} left`;
    } else {
      this.windowWords.textContent = until == null ? "Window closed · only templates arrive" : `Window closed since ${clockTime(until)} · only templates arrive`;
    }
  }

  showTyping(on) {
    this.presence.textContent = on ? "typing…" : "Business account";
    this.presence.classList.toggle("typing", on);
    if (on && !this.typing?.isConnected) {
      this.typing = el("div", { class: "message theirs first dots", "aria-hidden": "true" }, el("div", { class: "bubble" }, el("i"), el("i"), el("i")));
      this.log.append(this.typing);
      this.settle();
    } else if (!on) {
      this.typing?.remove();
    }
  }

  atEnd() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_END;
  }

  settle() {
    if (this.following) this.toEnd();
    else this.toggleDown();
  }

  toEnd() {
    this.following = true;
    this.log.scrollTop = this.log.scrollHeight;
    this.toggleDown();
  }

  toggleDown() {
    this.down.hidden = this.atEnd();
  }

  // --- what the person does

  key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.write();
    } else if (event.key === "Escape" && this.quoted) {
      this.quote(null);
    }
  }

  fit() {
    this.field.rows = Math.min(5, this.field.value.split("\n").length);
  }

  quote(message) {
    this.quoted = message;
    this.quoteBox.hidden = !message;
    this.quoteWords.textContent = message ? preview(message.body) : "";
    if (message) this.field.focus();
  }

  async write() {
    const text = this.field.value.trim();
    if (!text) return;
    const said = { text };
    if (this.quoted) said.quote = this.quoted.wamid;
    if (await this.send(said)) {
      this.field.value = "";
      this.fit();
      this.quote(null);
    }
  }

  async send(said) {
    try {
      await call("/_sim/inbound", { from: `+${this.wa_id}`, ...said });
      this.problem.textContent = "";
      return true;
    } catch (problem) {
      this.problem.textContent = problem.message;
      return false;
    }
  }
}
