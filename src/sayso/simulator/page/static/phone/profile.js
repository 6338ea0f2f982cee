// What a person can change about themselves and about a business: sheets on the phone.

import { call } from "../shared/api.js";
import { toast } from "../shared/bar.js";
import { el, phoneNumber } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { Sheet } from "./sheet.js";

const path = (person, what = "") => `/_sim/people/${encodeURIComponent(`+${person.wa_id}`)}${what}`;

// A switch that takes effect at once and goes back when it is refused.
function toggle(sheet, label, explained, on, change) {
  const input = el("input", { type: "checkbox", role: "switch", checked: on });
  input.addEventListener("change", () => attempt(sheet, () => change(input.checked)).then((done) => done || (input.checked = !input.checked)));
  return el("label", { class: "row switch" }, el("span", { class: "two-lines" }, el("b", {}, label), el("small", {}, explained)), input);
}

async function attempt(sheet, act) {
  try {
    await act();
    sheet.problem.textContent = "";
    return true;
  } catch (problem) {
    sheet.problem.textContent = problem.message;
    return false;
  }
}

export function aboutPerson(phone) {
  const { person } = phone;
  const sheet = new Sheet(phone.screen, `${person.name}’s phone`, { submit: () => save() });
  const name = el("input", { value: person.name, required: true, maxlength: "60", autocomplete: "off" });
  const username = el("input", { value: person.username ?? "", placeholder: "none", autocomplete: "off" });
  const change = (what) => call(path(person), what);
  const username_given = () => username.value.trim().replace(/^@/, "") || null;
  sheet.add(
    el("div", { class: "side-by-side" }, el("label", { class: "field" }, "Name", name), el("label", { class: "field" }, "Username", username)),
    toggle(sheet, "Hide my number", "Webhooks carry the user id only, as for people with a username", person.phone_hidden, (on) => change(on ? { phone_hidden: true, username: username_given() ?? handle(person) } : { phone_hidden: false })),
    toggle(sheet, "Read receipts", "Off: the business never hears of “read”", person.read_receipts, (on) => change({ read_receipts: on })),
    toggle(sheet, "Phone switched off", "Messages wait with one tick until it is on again", Boolean(person.phone_off), (on) => change({ phone_off: on })),
    toggle(sheet, "Has WhatsApp", "Off: messages fail with 131026", person.on_whatsapp, (on) => change({ on_whatsapp: on })),
    el("dl", { class: "facts" }, fact("Number", phoneNumber(person.wa_id)), fact("User id (BSUID)", person.user_id)),
    el("div", { class: "acts" }, el("button", { type: "button", class: "plain small", onclick: () => changeNumber(phone, sheet) }, icon("phone"), "Change number")),
  );
  sheet.foot(el("button", { type: "submit", class: "strong wide" }, "Save"));
  const save = async () => {
    const saved = await attempt(sheet, () => change({ name: name.value.trim(), username: username_given() }));
    if (saved) sheet.close();
  };
  sheet.open();
}

const handle = (person) => person.name.toLowerCase().replace(/[^a-z0-9]+/g, ".").replace(/^\.|\.$/g, "") || `user${person.wa_id.slice(-4)}`;

function fact(label, value) {
  return el("div", {}, el("dt", {}, label), el("dd", {}, value));
}

function changeNumber(phone, under) {
  const sheet = new Sheet(phone.screen, "Change number", { submit: () => move() });
  const to = el("input", { required: true, inputmode: "tel", placeholder: "+1 555 000 7777", autocomplete: "off" });
  sheet.add(el("p", { class: "explain" }, "The business is told by a system message; the user id changes with the number."), el("label", { class: "field" }, "New number", to));
  sheet.foot(el("button", { type: "submit", class: "strong wide" }, "Change number"));
  const move = async () => {
    const moved = await attempt(sheet, () => call(path(phone.person, "/change_number"), { to: to.value.trim() }));
    if (!moved) return;
    sheet.close();
    under.close();
    toast("The number has changed");
  };
  sheet.open();
}

export function aboutBusiness(chat) {
  const { number, person } = chat;
  const id = number.phone_number_id;
  const sheet = new Sheet(chat.screen, number.verified_name, { submit: () => {} });
  sheet.add(
    toggle(sheet, "Block", "Nothing of this business arrives; it is not told why (131026)", person.blocked_by.includes(id), (on) => call(path(person, on ? "/block" : "/unblock"), { number: id })),
    toggle(sheet, "Offers and announcements", "Off: marketing templates are refused with 131050", !person.no_marketing.includes(id), (on) => call(path(person, "/marketing"), { value: on ? "resume" : "stop", number: id })),
    el("dl", { class: "facts" }, fact("Number", phoneNumber(number.display_phone_number)), fact("Phone number id", id)),
  );
  sheet.open();
}
