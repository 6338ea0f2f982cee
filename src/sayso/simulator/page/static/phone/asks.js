// Sheets by which a person answers what the business asked: a list, a flow, a place, a permission.

import { el, freshId } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { Sheet } from "./sheet.js";

export function chooseRow(chat, message) {
  const group = freshId("rows");
  const done = el("button", { type: "submit", class: "strong wide", disabled: true }, "Send");
  const sheet = new Sheet(chat.screen, message.content.list_label, { submit: () => choose() });
  for (const section of message.content.sections) {
    const rows = section.rows.map((row) => {
      const input = el("input", { type: "radio", name: group, value: row.id, onchange: () => (done.disabled = false) });
      return el("label", { class: "row" }, el("span", { class: "two-lines" }, el("b", {}, row.title), row.description ? el("small", {}, row.description) : null), input);
    });
    sheet.add(el("fieldset", {}, section.title ? el("legend", {}, section.title) : el("legend", { class: "unseen" }, "Choices"), ...rows));
  }
  sheet.foot(done);
  async function choose() {
    const row = sheet.root.querySelector("input:checked")?.value;
    await sheet.finish(chat, { choose: { message_id: message.wamid, row } });
  }
  sheet.open();
}

export function fillFlow(chat, message, button) {
  const sheet = new Sheet(chat.screen, button.title, { submit: () => answer() });
  const rows = el("div", { class: "entries" });
  const addRow = (name = "", value = "") => {
    const gone = el("button", { type: "button", class: "ghost", "aria-label": "Remove this field", onclick: () => made.remove() }, icon("close"));
    const made = el("div", { class: "entry" }, el("input", { value: name, placeholder: "field", "aria-label": "Field", autocomplete: "off" }), el("input", { value, placeholder: "value", "aria-label": "Value", autocomplete: "off" }), gone);
    rows.append(made);
    return made;
  };
  addRow("answer", "yes");
  sheet.add(
    el("p", { class: "explain" }, "The flow's own screens are the business's; here you fill in what its last screen sends back. Values may be JSON."),
    rows,
    el("button", { type: "button", class: "plain small", onclick: () => addRow().querySelector("input").focus() }, icon("plus"), "Add a field"),
  );
  sheet.foot(el("button", { type: "submit", class: "strong wide" }, "Send answer"));
  async function answer() {
    const response = {};
    for (const entry of rows.children) {
      const [name, value] = [...entry.querySelectorAll("input")].map((each) => each.value.trim());
      if (name) response[name] = jsonOrText(value);
    }
    await sheet.finish(chat, { flow: { message_id: message.wamid, response } });
  }
  sheet.open();
}

function jsonOrText(value) {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

const PLACES = [
  ["Old Harbour", "3 Quay Street, Bristol", 51.4495, -2.5972],
  ["Parque Central", "Avenida 6 de Diciembre, Quito", -0.2099, -78.4863],
  ["Home", "12 Linden Row, Berlin", 52.5163, 13.3777],
];

// Shares a place; with `asked` it answers a location request.
export function sharePlace(chat, asked = null) {
  const sheet = new Sheet(chat.screen, "Share a location", { submit: () => share() });
  const fields = {};
  const field = (key, label, value, more = {}) => {
    fields[key] = el("input", { value, autocomplete: "off", ...more });
    return el("label", { class: "field" }, label, fields[key]);
  };
  const [name, address, latitude, longitude] = PLACES[0];
  const set = (place) => ["name", "address", "latitude", "longitude"].forEach((key, at) => (fields[key].value = String(place[at])));
  sheet.add(
    el("div", { class: "chips" }, ...PLACES.map((place) => el("button", { type: "button", class: "chip", onclick: () => set(place) }, icon("pin"), place[0]))),
    field("name", "Name", name),
    field("address", "Address", address),
    el("div", { class: "side-by-side" }, field("latitude", "Latitude", String(latitude), { inputmode: "decimal", required: true }), field("longitude", "Longitude", String(longitude), { inputmode: "decimal", required: true })),
  );
  sheet.foot(el("button", { type: "submit", class: "strong wide" }, "Send location"));
  async function share() {
    const location = { latitude: Number(fields.latitude.value), longitude: Number(fields.longitude.value), name: fields.name.value, address: fields.address.value };
    if (asked) location.message_id = asked.wamid;
    await sheet.finish(chat, { location });
  }
  sheet.open();
}

export function permitCalls(chat, message) {
  const sheet = new Sheet(chat.screen, `Allow ${chat.number.verified_name} to call you?`, { submit: () => {} });
  const say = (response) => sheet.finish(chat, { call_permission: { message_id: message.wamid, response } });
  sheet.add(el("p", { class: "explain" }, message.content.body || "The business would like to call you on WhatsApp."));
  sheet.foot(el("button", { type: "button", class: "plain wide", onclick: () => say("reject") }, "Don’t allow"), el("button", { type: "button", class: "strong wide", onclick: () => say("accept") }, "Allow calls"));
  sheet.open();
}

export function shareContact(chat) {
  const sheet = new Sheet(chat.screen, "Share a contact", { submit: () => share() });
  const name = el("input", { required: true, value: "Rosa Blum", autocomplete: "off" });
  const phone = el("input", { required: true, value: "+15550004444", inputmode: "tel", autocomplete: "off" });
  sheet.add(el("label", { class: "field" }, "Name", name), el("label", { class: "field" }, "Number", phone));
  sheet.foot(el("button", { type: "submit", class: "strong wide" }, "Send contact"));
  const share = () => sheet.finish(chat, { contacts: [{ name: name.value.trim(), phones: [phone.value.trim()] }] });
  sheet.open();
}
