// The buttons under a bubble, and what each of them does on a phone.

import { copyText } from "../shared/api.js";
import { toast } from "../shared/bar.js";
import { el } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { chooseRow, fillFlow, permitCalls, sharePlace } from "./asks.js";

const SIGNS = { reply: "reply", url: "link", phone: "phone", copy: "copy", flow: "flow", location: "pin", contact: "person", call: "phone", permission: "phone", catalog: "list", address: "pin", other: "info" };

export function buttonsOf(message, chat) {
  const { buttons = [], list_label: label, sections } = message.content;
  if (!buttons.length && !label) return null;
  const row = el("div", { class: "buttons", role: "group", "aria-label": "Answers" });
  buttons.forEach((button, place) => row.append(buttonOf(message, button, place, undefined, chat)));
  if (label) row.append(el("button", { type: "button", onclick: () => chooseRow(chat, message), "aria-haspopup": "dialog", disabled: !sections?.length }, icon("list"), el("span", {}, label)));
  return row;
}

export function buttonOf(message, button, place, card, chat) {
  const sign = SIGNS[button.kind] ?? "info";
  return el("button", { type: "button", title: button.value && button.kind !== "flow" ? button.value : null, onclick: () => press(message, button, place, card, chat) }, icon(sign), el("span", {}, button.title));
}

async function press(message, button, place, card, chat) {
  switch (button.kind) {
    case "flow":
      return fillFlow(chat, message, button);
    case "location":
      return sharePlace(chat, message);
    case "permission":
      return permitCalls(chat, message);
    default:
      return tap(message, button, place, card, chat);
  }
}

async function tap(message, button, place, card, chat) {
  const said = await chat.send({ tap: { message_id: message.wamid, button: place, ...(card === undefined ? {} : { card }) } });
  if (!said) return;
  if (button.kind === "copy") {
    await copyText(button.value).catch(() => {});
    toast(`Code ${button.value} copied`);
  } else if (said.opens || button.kind === "url" || button.kind === "phone") {
    toast(`On a phone this opens ${said.opens ?? button.value}`);
  } else if (said.why) {
    toast(said.why);
  }
}
