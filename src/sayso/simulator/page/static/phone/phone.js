// One phone: whose it is, its chats with the business's numbers, and the one that is open.

import { avatar, clockTime, dayName, el, phoneNumber, renew, sameDay } from "../shared/dom.js";
import { icon, ticks } from "../shared/icons.js";
import { gist } from "./bubble.js";
import { Chat } from "./chat.js";
import { aboutPerson } from "./profile.js";

export class Phone {
  constructor(app, wa_id) {
    this.app = app;
    this.world = app.world;
    this.wa_id = wa_id;
    this.chats = new Map();
    this.open = null;
    this.build();
    this.begin();
  }

  get person() {
    return this.world.people.get(this.wa_id);
  }

  get several() {
    return this.world.numbers.length > 1;
  }

  // A draft outlives its chat's elements: the page keeps it.
  drafts(number) {
    const key = `${number}:${this.wa_id}`;
    return { get: () => this.app.drafts.get(key), set: (draft) => this.app.drafts.set(key, draft) };
  }

  build() {
    this.called = el("b", {});
    this.reached = el("span", {});
    this.time = el("time", {});
    this.rows = el("ul", {});
    this.inbox = el("div", { class: "inbox" }, el("header", { class: "inbox-head" }, el("button", { type: "button", class: "back", "aria-label": "Back to the list of people", onclick: () => this.app.back() }, icon("back")), el("h2", {}, "Chats")), this.rows);
    this.talking = el("div", { class: "talking" });
    this.screen = el("div", { class: "screen" }, el("div", { class: "status-bar", "aria-hidden": "true" }, this.time, el("span", {}, icon("signal"), icon("battery"))), this.inbox, this.talking);
    const settings = el("button", { type: "button", class: "whose", onclick: () => aboutPerson(this), title: "Settings of this phone" }, this.called, this.reached, icon("down"));
    this.close = el("button", { type: "button", class: "ghost away-with", "aria-label": "Put this phone away", onclick: () => this.app.away(this) }, icon("close"));
    this.root = el("section", { class: "phone", "aria-label": `${this.person.name}'s phone` }, el("header", { class: "caption" }, settings, this.close), el("div", { class: "case" }, this.screen));
    for (const kind of ["focusin", "pointerdown"]) this.root.addEventListener(kind, () => this.app.chosen(this));
  }

  // Opens the only chat there is, or shows the list of chats.
  begin() {
    const latest = this.world.latest.get(this.wa_id)?.phone_number_id;
    const busy = latest ?? this.world.numbers[0]?.phone_number_id;
    if (busy && (!this.several || latest)) this.enter(busy, false);
    else this.leave();
    this.tick();
  }

  enter(number, told = true) {
    if (!this.chats.has(number)) this.chats.set(number, new Chat(this, this.world.number(number)));
    this.open = this.chats.get(number);
    this.talking.replaceChildren(this.open.root);
    this.talking.hidden = false;
    this.inbox.hidden = true;
    this.open.tick();
    this.open.toEnd();
    if (told) {
      this.app.settle();
      this.open.composer.field.focus({ preventScroll: true });
    }
  }

  leave() {
    this.open = null;
    this.talking.hidden = true;
    this.talking.replaceChildren();
    this.inbox.hidden = false;
    this.list();
  }

  back() {
    if (this.several && this.open) {
      this.leave();
      this.app.settle();
      this.inbox.querySelector("button")?.focus();
    } else {
      this.app.back();
    }
  }

  // The connection was lost and is back: the same phone, with everything that happened meanwhile.
  refresh() {
    for (const [number, chat] of this.chats) {
      if (this.world.number(number)) chat.redraw();
      else this.chats.delete(number);
    }
    if (this.open && !this.chats.has(this.open.numberId)) this.leave();
    this.tick();
  }

  // Draws what happened: per chat, messages that are new and messages that changed.
  update(fresh, changed) {
    for (const [number, chat] of this.chats) {
      chat.update(fresh.filter((each) => each.phone_number_id === number), changed.filter(([each]) => each.phone_number_id === number));
    }
    if (!this.open) this.list();
  }

  tick() {
    const { person } = this;
    const now = this.world.now();
    this.time.textContent = clockTime(now);
    this.called.textContent = person.name;
    this.reached.textContent = person.phone_hidden ? `@${person.username ?? "hidden"} · number hidden` : phoneNumber(this.wa_id);
    this.root.setAttribute("aria-label", `${person.name}'s phone`);
    this.root.classList.toggle("off", Boolean(person.phone_off));
    this.root.classList.toggle("many", this.several);
    if (this.open) this.open.tick();
    else this.list();
  }

  toEnd() {
    this.open?.toEnd();
  }

  focus() {
    (this.open ? this.open.composer.field : this.inbox.querySelector("button"))?.focus({ preventScroll: true });
  }

  // The business's picture: its mark for the first number, letters for the others.
  face(number) {
    if (number === this.world.numbers[0]) return el("img", { class: "avatar mark", src: "/_sim/page/shared/mark.svg", alt: "" });
    return avatar(number.verified_name, number.display_phone_number);
  }

  list() {
    const rows = this.world.numbers.map((number) => this.row(number)).sort((one, other) => other.at - one.at);
    const focused = this.inbox.contains(document.activeElement) ? document.activeElement.dataset.number : null;
    renew(this.rows, ...rows.map((each) => each.made));
    if (focused) this.inbox.querySelector(`[data-number="${focused}"]`)?.focus();
  }

  row(number) {
    const id = number.phone_number_id;
    const last = this.world.chat(id, this.wa_id).at(-1);
    const unread = this.world.unreadIn(id, this.wa_id);
    const made = el(
      "button",
      { type: "button", class: unread ? "person unread" : "person", "data-number": id, onclick: () => this.enter(id) },
      this.face(number),
      el("span", { class: "name" }, number.verified_name),
      el("span", { class: "when" }, last ? when(last.at, this.world.now()) : ""),
      lastWords(last, phoneNumber(number.display_phone_number)),
      unread ? el("span", { class: "badge", "aria-label": `${unread} unread` }, String(unread)) : null,
    );
    return { at: last?.at ?? 0, made: el("li", {}, made) };
  }
}

export function when(at, now) {
  return sameDay(at, now) ? clockTime(at) : dayName(at, now);
}

export function lastWords(last, otherwise) {
  if (!last) return el("span", { class: "last quiet" }, otherwise);
  const sign = last.from_business && last.status !== "failed" ? null : ticks(last.status);
  return el("span", { class: "last" }, sign, gist(last));
}
