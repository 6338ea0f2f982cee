// One message as a bubble: words, buttons under it, quote, ticks, and why it failed.

import { clockTime, el } from "./dom.js";
import { formatted, preview } from "./format.js";
import { icon, ticks } from "./icons.js";

export function bubbleOf(message, { business, person, tap, reply }) {
  const side = message.from_business ? "theirs" : "mine";
  const made = el(
    "article",
    { class: `message ${side}`, "data-wamid": message.wamid, "aria-label": spoken(message, business, person) },
    el("div", { class: "bubble" }, quoteOf(message, business, person), ...wordsOf(message), metaOf(message)),
  );
  if (message.buttons.length) made.append(buttonsOf(message, tap));
  made.append(replyButton(message, reply));
  showStatus(made, message);
  return made;
}

export function showStatus(made, message) {
  made.querySelector(".meta .ticks").replaceWith(ticks(message.status));
  made.classList.toggle("failed", message.status === "failed");
  made.querySelector(".reason")?.remove();
  if (message.status !== "failed") return;
  const reason = el("p", { class: "reason" }, icon("failed"), el("span", {}, el("b", {}, "Not delivered"), why(message.error)));
  made.querySelector(".bubble").after(reason);
  for (const button of made.querySelectorAll("button")) button.disabled = true;
}

function why(error) {
  return error ? ` · ${error.code} ${error.title}. ${error.details ?? ""}` : "";
}

function spoken(message, business, person) {
  return `${message.from_business ? business.verified_name : person.name}, ${clockTime(message.at)}`;
}

function wordsOf(message) {
  const words = [
    message.header ? el("p", { class: "head" }, formatted(message.header)) : null,
    el("p", { class: "body", dir: "auto" }, formatted(message.body)),
    message.footer ? el("p", { class: "foot" }, formatted(message.footer)) : null,
  ].filter(Boolean);
  if (!message.template) words.at(-1).append(el("span", { class: "room" }));
  return words;
}

function metaOf(message) {
  return el(
    "p",
    { class: message.template ? "meta" : "meta corner" },
    message.template ? el("span", { class: "template", title: "sent as this template" }, message.template) : null,
    el("time", { datetime: new Date(message.at * 1000).toISOString() }, clockTime(message.at)),
    ticks(message.status),
  );
}

function quoteOf(message, business, person) {
  if (!message.quote) return null;
  const who = message.quote.from_business ? business.verified_name : person.name;
  return el(
    "div",
    { class: `quote ${message.quote.from_business ? "theirs" : "mine"}` },
    el("b", {}, who),
    el("span", {}, preview(message.quote.words)),
  );
}

function buttonsOf(message, tap) {
  const row = el("div", { class: "buttons", role: "group", "aria-label": "Answers" });
  for (const [place, title] of message.buttons.entries()) {
    row.append(el("button", { type: "button", onclick: () => tap(message, place) }, icon("reply"), el("span", {}, title)));
  }
  return row;
}

function replyButton(message, reply) {
  return el(
    "button",
    { type: "button", class: "answer", "aria-label": "Quote this message", onclick: () => reply(message) },
    icon("reply"),
  );
}
