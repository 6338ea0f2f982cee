// What a person attaches: a file from this machine, a sample, a place, a contact.

import { el, size } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { shareContact, sharePlace } from "./asks.js";
import { Sheet } from "./sheet.js";

const PREVIEW_AT_MOST = 320;

export function attachMenu(chat, shut) {
  const choose = (accept) => pickFile(accept, (file) => sendFile(chat, file));
  const sample = (kind) => () => chat.send(chat.composer.quoting({ media: { kind, sample: true } }));
  const one = (sign, label, tint, act) =>
    el("button", { type: "button", class: "way", onclick: () => { shut(); act(); } }, el("span", { class: `avatar tint-${tint}`, "aria-hidden": "true" }, icon(sign)), label);
  return el(
    "div",
    { class: "ways", role: "group", "aria-label": "What to attach" },
    one("image", "Photo or video", 2, () => choose("image/*,video/*")),
    one("camera", "Camera", 5, sample("image")),
    one("file", "Document", 1, () => choose("")),
    one("music", "Audio", 0, () => choose("audio/*")),
    one("pin", "Location", 3, () => sharePlace(chat)),
    one("person", "Contact", 1, () => shareContact(chat)),
    one("sticker", "Sticker", 4, sample("sticker")),
    one("video", "Video", 0, sample("video")),
  );
}

function pickFile(accept, chosen) {
  const input = el("input", { type: "file", accept, class: "unseen", "aria-label": "File" });
  input.addEventListener("change", () => input.files.length && chosen(input.files[0]));
  document.body.append(input);
  input.click();
  input.remove();
}

const KIND = [[/^image\/(jpeg|png)/, "image"], [/^image\/webp/, "sticker"], [/^video\/(mp4|3gpp)/, "video"], [/^audio\/(aac|amr|mpeg|mp4|ogg)/, "audio"]];

const kindOf = (file) => KIND.find(([types]) => types.test(file.type))?.[1] ?? "document";

export async function sendFile(chat, file) {
  const kind = kindOf(file);
  const caption = el("input", { placeholder: "Add a caption", "aria-label": "Caption", maxlength: "1024", autocomplete: "off" });
  const sheet = new Sheet(chat.screen, kind === "document" ? "Send document" : `Send ${kind}`, { submit: () => send() });
  const card = el("div", { class: "file-card" }, el("span", { class: "sign" }, icon(kind === "image" ? "image" : "file")), el("span", { class: "two-lines" }, el("b", {}, file.name), el("small", {}, `${file.type || "unknown type"} · ${size(file.size)}`)));
  sheet.add(kind === "image" ? el("div", { class: "look" }, await picture(file), card) : card);
  if (kind !== "audio" && kind !== "sticker") sheet.add(el("div", { class: "field" }, caption));
  sheet.foot(el("button", { type: "submit", class: "strong wide" }, icon("send"), "Send"));
  async function send() {
    const media = { kind, data_base64: await base64(file), mime_type: file.type || "application/octet-stream" };
    if (kind === "document") media.filename = file.name;
    if (caption.value.trim()) media.caption = caption.value.trim();
    if (await sheet.finish(chat, chat.composer.quoting({ media }))) chat.composer.quote(null, false);
  }
  sheet.open();
}

// Drawn on a canvas, so that the page needs no right to load anything but its own files.
async function picture(file) {
  const canvas = el("canvas", { role: "img", "aria-label": file.name });
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, PREVIEW_AT_MOST / Math.max(bitmap.width, bitmap.height));
    canvas.width = bitmap.width * scale;
    canvas.height = bitmap.height * scale;
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  } catch {
    canvas.hidden = true; // no picture this browser can draw; it is sent all the same
  }
  return canvas;
}

async function base64(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let words = "";
  for (let at = 0; at < bytes.length; at += 0x8000) words += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(words);
}
