// One exchange in full: what was asked, what was answered, the webhooks that followed and every attempt.

import { clockTime, el, phoneNumber, size } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { chip, empty } from "./parts.js";

export function callDetail(each, room) {
  return [
    el("header", {}, el("h2", {}, `${each.method} ${each.route ?? "call"}`), chip(each.status == null ? "no answer" : String(each.status), (each.status ?? 599) >= 400 ? "bad" : fails(each) ? "plain-tone" : "good"), each.about?.status ? chip([each.about.status, each.about.error_code].filter(Boolean).join(" "), fails(each) ? "bad" : "plain-tone") : null, each.fault ? el("span", { class: "tag bad" }, icon("bolt"), each.fault.kind.replaceAll("_", " ")) : null, copyButton(each.curl, "Copy as curl", room)),
    el("p", { class: "where" }, each.path, each.took_ms == null ? "" : ` · ${each.took_ms} ms`),
    concerned(each),
    section("Request", headers(each.request.headers), body(each.request.body, each.request.size), parts(each.request.parts)),
    section("Answer", each.answer ? headers(each.answer.headers) : null, each.answer ? body(each.answer.body, each.answer.size) : empty(each.open ? "Not answered yet." : "The connection was cut: nothing was answered.")),
    section(`Webhooks that followed (${each.webhooks.length})`, ...each.webhooks.map((webhook) => followed(webhook, room)), each.webhooks.length ? null : empty(each.wamid ? "None yet." : "A call like this tells nothing by webhook.")),
  ].filter(Boolean);
}

export function webhookDetail(each, room) {
  return [
    el("header", {}, el("h2", {}, (each.fields ?? [each.kind]).join(", ")), chip(each.state), copyButton(each.curl, "Copy as curl", room)),
    el("p", { class: "where" }, `POST ${each.url}`),
    concerned(each),
    again(each, room),
    section("Attempts", attempts(each)),
    section("Body", headers(each.headers), body(each.body, each.body.length)),
  ].filter(Boolean);
}

const fails = (each) => each.about?.status === "failed" || each.about?.status === "dropped";

function concerned({ about, kind }) {
  const who = about && [about.name, about.phone && /^\+\d+$/.test(about.phone) ? phoneNumber(about.phone.slice(1)) : about.phone].filter(Boolean).join(", ");
  return who ? el("p", { class: "concerned" }, `${about.type.replaceAll("_", " ")} ${kind === "inbound" ? "from" : "to"} ${who}`) : null;
}

function section(title, ...inside) {
  return el("section", {}, el("h3", {}, title), ...inside);
}

function copyButton(words, label, room) {
  return el("button", { type: "button", class: "plain small", onclick: () => room.copy(words, "Copied as curl") }, icon("copy"), label);
}

function again(each, room) {
  return el("div", { class: "acts" }, el("button", { type: "button", class: "plain small", onclick: () => room.redeliver(each.id) }, icon("again"), "Redeliver"), el("button", { type: "button", class: "plain small", onclick: () => room.redeliver(each.id, 5) }, "Redeliver ×5"));
}

// The names that say something come first; everything else is folded away.
function headers(given) {
  const names = Object.keys(given ?? {});
  if (!names.length) return null;
  return el("details", {}, el("summary", {}, `${names.length} headers`), el("dl", { class: "facts" }, ...names.map((name) => el("div", {}, el("dt", {}, name), el("dd", {}, String(given[name]))))));
}

function body(words, bytes) {
  if (words == null || words === "") return empty(bytes ? `${size(bytes)} that are no text` : "No body.");
  return el("pre", { tabindex: "0" }, ...coloured(pretty(words)));
}

function parts(list) {
  if (!list?.length) return null;
  return el("dl", { class: "facts" }, ...list.map((part) => el("div", {}, el("dt", {}, part.name), el("dd", {}, [part.filename, part.content_type, size(part.size)].filter(Boolean).join(" · ")))));
}

function pretty(words) {
  try {
    return JSON.stringify(JSON.parse(words), null, 2);
  } catch {
    return words;
  }
}

const TOKENS = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|-?\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b/g;

function* coloured(words) {
  let done = 0;
  for (const found of words.matchAll(TOKENS)) {
    yield words.slice(done, found.index);
    const [whole, string, colon] = found;
    if (string) {
      yield el("span", { class: colon ? "json-key" : "json-text" }, string);
      if (colon) yield colon;
    } else {
      yield el("span", { class: "json-value" }, whole);
    }
    done = found.index + whole.length;
  }
  yield words.slice(done);
}

function followed(webhook, room) {
  const what = [...new Set((webhook.updates ?? []).map((update) => update.status ?? update.kind))].join(", ") || webhook.kind;
  return el("div", { class: "followed" }, el("div", { class: "in-line" }, el("b", {}, what), chip(webhook.state), el("button", { type: "button", class: "plain small", onclick: () => room.choose("webhooks", webhook.id) }, "Body"), el("button", { type: "button", class: "plain small", "aria-label": `Redeliver ${what}`, onclick: () => room.redeliver(webhook.id) }, icon("again"), "Redeliver")), attempts(webhook));
}

function attempts(webhook) {
  if (!webhook.attempts.length) return empty(webhook.next_attempt_at ? `Not yet tried; due at ${clockTime(webhook.next_attempt_at)}.` : "Never tried.");
  const more = webhook.attempt_count - webhook.attempts.length;
  return el(
    "ol",
    { class: "attempts" },
    more > 0 ? el("li", {}, `${more} earlier ones`) : null,
    ...webhook.attempts.map((each) => el("li", {}, el("time", {}, clockTime(each.at)), chip(each.status_code == null ? "no answer" : String(each.status_code), each.status_code === 200 ? "good" : "bad"), el("span", {}, each.error ?? `${each.took_ms} ms`))),
    webhook.next_attempt_at ? el("li", {}, el("time", {}, clockTime(webhook.next_attempt_at)), chip("next", "wait"), el("span", {}, "when it is tried again")) : null,
  );
}
