// Where a person writes: words, what is attached, a voice note, and what they answer to.

import { el } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { attachMenu, sendFile } from "./attach.js";
import { gist } from "./bubble.js";
import { emojiGrid } from "./emoji.js";

export class Composer {
  constructor(chat) {
    this.chat = chat;
    this.quoted = null;
    this.field = el("textarea", { rows: "1", placeholder: "Message", "aria-label": `Message as ${chat.person.name}`, maxlength: "65536" });
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("input", () => this.changed());
    this.field.addEventListener("paste", (event) => this.pasted(event));
    this.quoteWho = el("b", {});
    this.quoteWords = el("span", {});
    this.quoteBox = el("div", { class: "quoting", hidden: true }, el("div", { class: "quote theirs" }, this.quoteWho, this.quoteWords), el("button", { type: "button", "aria-label": "Do not quote", onclick: () => this.quote(null) }, icon("close")));
    this.problem = el("p", { class: "problem", role: "alert" });
    this.send = el("button", { type: "submit", class: "send" }, icon("mic"));
    this.smile = el("button", { type: "button", class: "inside", "aria-label": "Emoji", "aria-expanded": "false", onclick: () => this.toggle("emoji") }, icon("smile"));
    this.clip = el("button", { type: "button", class: "inside", "aria-label": "Attach", "aria-expanded": "false", onclick: () => this.toggle("attach") }, icon("attach"));
    this.tray = el("div", { class: "tray", hidden: true });
    this.root = el("form", { class: "composer" }, this.problem, this.quoteBox, this.tray, el("div", { class: "pill" }, this.smile, this.field, this.clip), this.send);
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      this.field.value.trim() ? this.write() : this.record();
    });
    this.root.addEventListener("dragover", (event) => event.preventDefault());
    this.root.addEventListener("drop", (event) => this.dropped(event));
    this.restore();
  }

  // --- drafts live as long as the page does, whatever becomes of the connection or of the phone on screen

  restore() {
    const { text = "", quoted = null } = this.chat.draft.get() ?? {};
    this.field.value = text;
    this.quote(quoted, false);
    this.changed();
  }

  changed() {
    this.field.rows = Math.min(5, this.field.value.split("\n").length);
    this.chat.draft.set({ text: this.field.value, quoted: this.quoted });
    const writing = this.field.value.trim() !== "";
    this.send.replaceChildren(icon(writing ? "send" : "mic"));
    this.send.setAttribute("aria-label", writing ? "Send" : "Record a voice note");
  }

  key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (this.field.value.trim()) this.write();
    } else if (event.key === "Escape" && !this.tray.hidden) {
      this.shut();
    } else if (event.key === "Escape" && this.quoted) {
      this.quote(null);
    } else if (event.key === "ArrowUp" && !this.field.value) {
      event.preventDefault();
      this.chat.enterLog();
    }
  }

  quote(message, focus = true) {
    this.quoted = message;
    this.quoteBox.hidden = !message;
    this.quoteWho.textContent = message ? (message.from_business ? this.chat.number.verified_name : "You") : "";
    this.quoteWords.textContent = message ? gist(message) : "";
    this.chat.draft.set({ text: this.field.value, quoted: message });
    if (message && focus) this.field.focus();
  }

  // What cannot be quoted any more, such as what was deleted, is quoted no longer.
  keepQuote() {
    if (!this.quoted) return;
    const { touchable } = this.chat.world.bubbles.get(this.quoted.wamid) ?? this.quoted;
    if (!touchable) this.quote(null, false);
  }

  async write() {
    const said = { text: this.field.value.trim() };
    if (await this.chat.send(this.quoting(said))) {
      this.field.value = "";
      this.quote(null, false);
      this.changed();
    }
  }

  quoting(said) {
    return this.quoted ? { ...said, quote: this.quoted.wamid } : said;
  }

  // --- trays: emoji, what can be attached, the voice note being recorded

  toggle(what) {
    if (this.tray.dataset.what === what && !this.tray.hidden) return this.shut();
    this.tray.dataset.what = what;
    this.tray.replaceChildren(what === "emoji" ? emojiGrid((emoji) => this.insert(emoji)) : attachMenu(this.chat, () => this.shut(false)));
    this.tray.hidden = false;
    this.mark();
    this.tray.querySelector("button").focus({ preventScroll: true });
    this.chat.toEnd();
  }

  shut(focus = true) {
    this.tray.hidden = true;
    clearInterval(this.counting);
    this.mark();
    if (focus) this.field.focus();
  }

  mark() {
    for (const [button, what] of [[this.smile, "emoji"], [this.clip, "attach"]]) {
      button.setAttribute("aria-expanded", String(!this.tray.hidden && this.tray.dataset.what === what));
    }
  }

  insert(emoji) {
    this.field.setRangeText(emoji, this.field.selectionStart, this.field.selectionEnd, "end");
    this.changed();
  }

  record() {
    const began = performance.now();
    const time = el("span", { class: "time" }, "0:00");
    const done = el("button", { type: "button", class: "send", "aria-label": "Send voice note", onclick: () => this.sendVoice() }, icon("send"));
    this.tray.dataset.what = "voice";
    this.tray.replaceChildren(el("div", { class: "recording" }, el("button", { type: "button", class: "ghost", "aria-label": "Throw away", onclick: () => this.shut() }, icon("trash")), el("span", { class: "dot" }), time, el("small", {}, "a sample is sent, the microphone stays off"), done));
    this.tray.hidden = false;
    this.counting = setInterval(() => {
      const seconds = Math.floor((performance.now() - began) / 1000);
      time.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    }, 500);
    done.focus();
  }

  async sendVoice() {
    this.shut();
    await this.chat.send(this.quoting({ media: { kind: "audio", sample: true, voice: true } }));
    this.quote(null, false);
  }

  pasted(event) {
    const [file] = event.clipboardData?.files ?? [];
    if (!file) return;
    event.preventDefault();
    sendFile(this.chat, file);
  }

  dropped(event) {
    event.preventDefault();
    const [file] = event.dataTransfer?.files ?? [];
    if (file) sendFile(this.chat, file);
  }
}
