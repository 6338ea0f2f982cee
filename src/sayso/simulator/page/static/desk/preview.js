// A template as it will stand on a phone, its variables filled with the examples.

import { el } from "../shared/dom.js";
import { formatted } from "../shared/format.js";
import { icon } from "../shared/icons.js";

const SIGNS = { URL: "link", PHONE_NUMBER: "phone", COPY_CODE: "copy", OTP: "copy", FLOW: "flow", CATALOG: "list", MPM: "list", VOICE_CALL: "phone", CALL_PERMISSION_REQUEST: "phone", REQUEST_CONTACT_INFO: "person" };
const MEDIA = { IMAGE: "image", VIDEO: "video", DOCUMENT: "file", LOCATION: "pin" };

export function previewOf(template) {
  const part = (kind) => template.components.find((each) => each.type === kind) ?? {};
  const carousel = part("CAROUSEL").cards ?? [];
  return el(
    "div",
    { class: "paper", role: "figure", "aria-label": "Preview" },
    el(
      "div",
      { class: "message theirs first" },
      el("div", { class: "bubble" }, ...insides(template.components)),
      buttons(part("BUTTONS").buttons),
    ),
    carousel.length ? el("ul", { class: "cards" }, ...carousel.map((card) => el("li", { class: "card" }, el("div", { class: "card-top" }, ...insides(card.components)), ...buttonList((card.components.find((each) => each.type === "BUTTONS") ?? {}).buttons)))) : null,
  );
}

function insides(components) {
  const parts = [];
  for (const component of components) {
    if (component.type === "HEADER" && component.format && component.format !== "TEXT") parts.push(el("div", { class: "stand-in" }, icon(MEDIA[component.format] ?? "file"), component.format.toLowerCase()));
    else if (component.type === "HEADER") parts.push(el("p", { class: "head" }, ...filled(component)));
    else if (component.type === "BODY") parts.push(el("p", { class: "body" }, ...(component.text ? filled(component) : ["Your code is ", mark("123456"), "."])));
    else if (component.type === "FOOTER") parts.push(el("p", { class: "foot" }, component.text ?? (component.code_expiration_minutes ? `This code expires in ${component.code_expiration_minutes} minutes.` : "")));
    else if (component.type === "LIMITED_TIME_OFFER") parts.push(el("p", { class: "note" }, icon("clock"), component.limited_time_offer?.text ?? "Limited-time offer"));
  }
  return parts;
}

// The words with each {{variable}} replaced by its example, marked as such.
function filled(component) {
  const examples = examplesOf(component.example ?? {});
  return (component.text ?? "").split(/(\{\{[^{}]+\}\})/).filter(Boolean).map((piece) => {
    const name = /^\{\{(.+)\}\}$/.exec(piece)?.[1].trim();
    return name === undefined ? formatted(piece) : mark(examples[name] ?? piece);
  });
}

function examplesOf(example) {
  const named = [...(example.body_text_named_params ?? []), ...(example.header_text_named_params ?? [])];
  const counted = example.body_text?.[0] ?? example.header_text ?? [];
  return Object.fromEntries([...named.map((each) => [each.param_name, each.example]), ...[counted].flat().map((each, place) => [String(place + 1), each])]);
}

const mark = (words) => el("span", { class: "example" }, words);

function buttons(list) {
  return list?.length ? el("div", { class: "buttons" }, ...buttonList(list)) : null;
}

function buttonList(list = []) {
  return list.map((each) => el("span", { class: "as-button", title: each.url ?? each.phone_number ?? null }, icon(SIGNS[each.type] ?? "reply"), el("span", {}, each.text ?? human(each.type))));
}

const human = (kind) => ({ COPY_CODE: "Copy code", OTP: "Copy code", CATALOG: "View catalog", MPM: "View items" })[kind] ?? kind.toLowerCase().replaceAll("_", " ");
