// One message as a bubble: what it holds, buttons under it, quote, ticks, reactions, and why it failed.

import { call } from "../shared/api.js";
import { toast } from "../shared/bar.js";
import { clockTime, el } from "../shared/dom.js";
import { formatted, preview } from "../shared/format.js";
import { icon, ticks } from "../shared/icons.js";
import { buttonOf, buttonsOf } from "./answers.js";
import { openMenu, openReactions } from "./menu.js";
import { cardsOf, contactsOf, linkPreview, mediaOf, placeOf } from "./parts.js";

export function bubbleOf(message, chat) {
  const side = message.from_business ? "theirs" : "mine";
  const { content } = message;
  const made = el("article", { class: `message ${side}`, "data-wamid": message.wamid, "aria-label": spoken(message, chat), tabindex: "-1" });
  if (message.deleted) {
    made.append(el("div", { class: "bubble gone" }, el("p", { class: "body" }, icon("block"), message.from_business ? "This message was deleted" : "You deleted this message", el("span", { class: "room" })), metaOf(message)));
  } else {
    made.append(el("div", { class: "bubble" }, message.forwarded ? el("p", { class: "forwarded" }, icon("forward"), "Forwarded") : null, quoteOf(message, chat), ...insides(message), metaOf(message)));
    if (content.cards) made.append(cardsOf(message, (of, button, place, card) => buttonOf(of, button, place, card, chat)));
    const answers = buttonsOf(message, chat);
    if (answers) made.append(answers);
    made.append(toolsOf(message, chat));
    hold(made, message, chat);
  }
  if (content.attachment?.kind === "sticker" && !content.body) made.classList.add("bare");
  if (content.attachment || content.place || content.cards || content.contacts) made.classList.add("rich");
  if (content.attachment?.kind === "sticker") made.classList.add("small-rich");
  showState(made, message);
  return made;
}

// Brings ticks, reactions and the reason of a failure up to date; everything else stays as it was drawn. Where nothing
// can be done with a message, nothing is offered.
export function showState(made, message) {
  made.querySelector(".meta .ticks")?.replaceWith(ticks(message.status));
  made.classList.toggle("failed", message.status === "failed" || message.status === "dropped");
  made.querySelector(".reason")?.remove();
  showReactions(made, message);
  const edited = made.querySelector(".meta .edited");
  if (edited) edited.hidden = !message.edited;
  for (const button of made.querySelectorAll("button:not(.tools button)")) button.disabled ||= !message.touchable;
  if (message.status !== "failed" && message.status !== "dropped") return;
  const why = message.status === "dropped" ? " · its time to live ran out; no webhook tells of it" : words(message.error);
  made.querySelector(".bubble").after(el("p", { class: "reason" }, icon("failed"), el("span", {}, el("b", {}, "Not delivered"), why)));
}

function showReactions(made, message) {
  made.querySelector(".reactions")?.remove();
  const given = Object.values(message.reactions ?? {});
  made.classList.toggle("reacted", given.length > 0);
  if (!given.length) return;
  const label = Object.entries(message.reactions).map(([who, emoji]) => `${emoji} from ${who ? "the person" : "the business"}`).join(", ");
  made.querySelector(".bubble").append(el("span", { class: "reactions", role: "img", "aria-label": `Reactions: ${label}` }, [...new Set(given)].join(""), given.length > 1 ? el("small", {}, String(given.length)) : null));
}

// The business hears of a voice note's first playing (4.9).
function playing(message) {
  if (!message.from_business || !message.content.attachment.voice) return {};
  return { played: () => message.status !== "played" && call("/_sim/played", { message_id: message.wamid }).catch((problem) => toast(problem.message)) };
}

function words(error) {
  return error ? ` · ${error.code} ${error.title}. ${error.details ?? ""}` : "";
}

function spoken(message, chat) {
  const state = message.deleted ? ", deleted" : `, ${message.status}`;
  return `${message.from_business ? chat.number.verified_name : chat.person.name}, ${clockTime(message.at)}${state}`;
}

function insides(message) {
  const { content } = message;
  const parts = [
    content.reaction ? el("p", { class: "body" }, `Reaction ${content.reaction.emoji}`) : null,
    content.attachment ? mediaOf(content.attachment, playing(message)) : null,
    content.place ? placeOf(content.place) : null,
    content.contacts ? contactsOf(content.contacts) : null,
    content.preview_url ? linkPreview(content.body) : null,
    content.header ? el("p", { class: "head", dir: "auto" }, formatted(content.header)) : null,
    content.body ? el("p", { class: big(content.body) ? "body big" : "body", dir: "auto" }, formatted(content.body)) : null,
    content.footer ? el("p", { class: "foot", dir: "auto" }, formatted(content.footer)) : null,
    content.note ? el("p", { class: "note" }, icon("info"), el("span", {}, content.note)) : null,
  ].filter(Boolean);
  if (!parts.length) parts.push(el("p", { class: "note" }, icon("info"), el("span", {}, `A message of type ${message.type}`)));
  if (!content.template && parts.at(-1).tagName === "P") parts.at(-1).append(el("span", { class: "room" }));
  return parts;
}

// One to three emoji alone stand large, as on a phone.
const big = (body) => body.length < 30 && /^(\p{Extended_Pictographic}(\uFE0F|\u200D\p{Extended_Pictographic}|[\u{1F3FB}-\u{1F3FF}])*\s?){1,3}$/u.test(body);

function metaOf(message) {
  const { content } = message;
  const inFlow = content.template || !(content.attachment?.kind === "audio" || content.body || content.footer || content.note || message.deleted || content.reaction || content.header);
  return el(
    "p",
    { class: inFlow ? "meta" : "meta corner" },
    content.template ? el("span", { class: "template", title: "sent as this template" }, content.template) : null,
    el("span", { class: "edited", hidden: !message.edited }, "edited"),
    el("time", { datetime: new Date(message.at * 1000).toISOString() }, clockTime(message.at)),
    ticks(message.status),
  );
}

function quoteOf(message, chat) {
  if (!message.quote) return null;
  const who = message.quote.from_business ? chat.number.verified_name : "You";
  const jump = () => chat.show(message.quote.wamid);
  return el(
    "div",
    { class: `quote ${message.quote.from_business ? "theirs" : "mine"}`, onclick: jump },
    el("b", {}, who),
    el("span", {}, preview(message.quote.words) || KINDS[message.quote.kind] || "A message"),
  );
}

const KINDS = { image: "📷 Photo", video: "🎥 Video", audio: "🎤 Voice message", document: "📄 Document", sticker: "Sticker" };

// What a message comes down to in a list or over the composer.
export function gist(message) {
  const { content } = message;
  if (message.deleted) return "This message was deleted";
  const told = preview([content.header, content.body].filter(Boolean).join(" "));
  const sign = content.attachment ? (content.attachment.kind === "audio" && !content.attachment.voice ? "🎵 Audio" : KINDS[content.attachment.kind]) : "";
  if (told) return sign ? `${sign.split(" ")[0]} ${told}` : told;
  if (content.place) return `📍 ${content.place.name || "Location"}`;
  if (content.contacts) return `👤 ${content.contacts.map((each) => each.name).join(", ")}`;
  if (content.reaction) return `Reaction ${content.reaction.emoji}`;
  return sign || content.attachment?.filename || content.note || "Message";
}

// --- tools: shown when the pointer is over a bubble; by keyboard they are in the menu

function toolsOf(message, chat) {
  const tool = (sign, label, onclick) => el("button", { type: "button", tabindex: "-1", "aria-label": label, onclick }, icon(sign));
  return el(
    "div",
    { class: "tools" },
    message.touchable ? tool("smile", "React to this message", (event) => openReactions(message, chat, event.currentTarget)) : null,
    message.touchable ? tool("reply", "Quote this message", () => chat.composer.quote(message)) : null,
    tool("more", "More about this message", (event) => openMenu(message, chat, event.currentTarget)),
  );
}

const HOLD_MS = 450;

function hold(made, message, chat) {
  const bubble = made.querySelector(".bubble");
  let timer = null;
  bubble.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    openMenu(message, chat, bubble);
  });
  bubble.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse") timer = setTimeout(() => openMenu(message, chat, bubble), HOLD_MS);
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) bubble.addEventListener(end, () => clearTimeout(timer));
  bubble.addEventListener("dblclick", () => message.touchable && chat.composer.quote(message));
  made.addEventListener("keydown", (event) => {
    if (event.target !== made || (event.key !== "Enter" && event.key !== "ContextMenu")) return;
    event.preventDefault();
    openMenu(message, chat, bubble);
  });
}
