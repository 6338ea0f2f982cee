// What a person can do with a message: react, quote, copy, edit, delete.

import { copyText } from "../shared/api.js";
import { toast } from "../shared/bar.js";
import { el } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { emojiGrid } from "./emoji.js";
import { Sheet } from "./sheet.js";

const QUICK = ["👍", "❤️", "😂", "😮", "😢", "🙏"];
let open = null;

export function openMenu(message, chat, anchor) {
  const { touchable } = message;
  const mine = touchable && !message.from_business;
  const words = message.content.body || message.content.header || "";
  const item = (sign, label, act, kind = "") => el("button", { type: "button", role: "menuitem", class: kind, onclick: () => pick(act) }, icon(sign), label);
  show(message, chat, anchor, [
    touchable ? reactionRow(message, chat) : null,
    touchable ? item("reply", "Reply", () => chat.composer.quote(message)) : null,
    item("forward", "Forward to the business", () => forward(message, chat)),
    words ? item("copy", "Copy text", () => copied(words, "Text copied")) : null,
    item("info", "Copy message id", () => copied(message.wamid, "Message id copied")),
    mine && message.content.body && message.type === "text" ? item("pencil", "Edit", () => edit(message, chat)) : null,
    mine ? item("trash", "Delete for everyone", () => chat.send({ delete: { message_id: message.wamid } }), "danger") : null,
  ]);
}

export function openReactions(message, chat, anchor) {
  show(message, chat, anchor, [reactionRow(message, chat)]);
}

// Takes a menu away whose message nothing can be done with any more.
export function shutMenuOf(message) {
  if (open?.message === message && !message.touchable) shut();
}

function reactionRow(message, chat) {
  const now = message.reactions?.[message.wa_id];
  const give = (emoji) => chat.send({ react: { message_id: message.wamid, emoji: emoji === now ? "" : emoji } });
  const one = (emoji) => el("button", { type: "button", role: "menuitem", class: emoji === now ? "chosen" : "", "aria-label": emoji === now ? `Take ${emoji} away` : `React with ${emoji}`, onclick: () => pick(() => give(emoji)) }, emoji);
  const more = el("button", { type: "button", role: "menuitem", "aria-label": "Another reaction", onclick: () => pick(() => choose(chat, give)) }, icon("plus"));
  return el("div", { class: "quick", role: "group", "aria-label": "React" }, ...[...new Set([...QUICK, now])].filter(Boolean).map(one), more);
}

function choose(chat, give) {
  const sheet = new Sheet(chat.screen, "React", { submit: () => {} });
  sheet.add(emojiGrid((emoji) => {
    sheet.close();
    give(emoji);
  }));
  sheet.open();
}

async function copied(words, told) {
  await copyText(words).then(() => toast(told), () => toast("The browser does not let the page copy"));
}

function forward(message, chat) {
  return chat.send({ text: message.content.body || message.content.header || "(forwarded)", forwarded: true });
}

function edit(message, chat) {
  const sheet = new Sheet(chat.screen, "Edit message", { submit: () => sheet.finish(chat, { edit: { message_id: message.wamid, text: field.value } }) });
  const field = el("textarea", { rows: "4", required: true, "aria-label": "New words" }, message.content.body);
  sheet.add(el("div", { class: "field" }, field));
  sheet.foot(el("button", { type: "submit", class: "strong wide" }, "Save"));
  sheet.open();
}

// --- the menu itself

function show(message, chat, anchor, items) {
  shut();
  const before = document.activeElement;
  const menu = el("div", { class: "menu", role: "menu", "aria-label": "What to do with this message" }, ...items);
  const back = el("div", { class: "menu-back", onclick: () => shut() });
  chat.screen.append(back, menu);
  place(menu, anchor.getBoundingClientRect(), chat.screen.getBoundingClientRect());
  menu.addEventListener("keydown", (event) => keys(event, menu));
  open = { message, menu, back, before };
  menu.querySelector("[role=menuitem]").focus({ preventScroll: true });
}

function place(menu, at, within) {
  const [wide, high] = [menu.offsetWidth, menu.offsetHeight];
  const left = Math.max(8, Math.min(at.left - within.left, within.width - wide - 8));
  const under = at.bottom - within.top + 4;
  const top = under + high < within.height - 8 ? under : Math.max(8, Math.min(at.top - within.top - high - 4, within.height - high - 8));
  menu.style.left = `${left}px`;
  menu.style.top = `${top}px`;
}

function keys(event, menu) {
  const items = [...menu.querySelectorAll("[role=menuitem]")];
  const at = items.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (step) {
    event.preventDefault();
    items[(at + step + items.length) % items.length].focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    event.stopPropagation();
    shut();
  }
}

function shut() {
  if (!open) return;
  open.menu.remove();
  open.back.remove();
  const { before } = open;
  open = null;
  if (before?.isConnected) before.focus({ preventScroll: true });
}

function pick(act) {
  shut();
  act();
}
