// What a bubble may hold besides words: media, a place, contacts, cards, the preview of a link.

import { el, freshId, hashed, phoneNumber } from "../shared/dom.js";
import { icon, shaped } from "../shared/icons.js";
import { formatted } from "../shared/format.js";

const shown = (id) => `/_sim/shown/${encodeURIComponent(id)}`;

// --- media

export function mediaOf(attachment, { played } = {}) {
  if (attachment.missing) return cardOf(KINDS[attachment.kind][0], KINDS[attachment.kind][1], "No longer kept by the simulator");
  if (!attachment.id) return linked(attachment);
  const source = shown(attachment.id);
  switch (attachment.kind) {
    case "image":
      return el("a", { class: "media image", href: source, target: "_blank", rel: "noopener noreferrer" }, picture(source, attachment.filename || "Photo", attachment));
    case "sticker":
      return el("div", { class: "media sticker" }, picture(source, "Sticker", attachment));
    case "video":
      return el("div", { class: "media video" }, el("video", { src: source, controls: true, preload: "metadata", "aria-label": "Video" }));
    case "audio":
      return voice(source, attachment, played);
    default:
      return el("a", { class: "file-card", href: source, download: attachment.filename || "document" }, ...fileWords(attachment), icon("download"));
  }
}

const KINDS = { image: ["image", "Photo"], video: ["video", "Video"], audio: ["music", "Audio"], document: ["file", "Document"], sticker: ["sticker", "Sticker"] };

function picture(source, words, attachment) {
  const image = el("img", { src: source, alt: words, loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(cardOf(KINDS[attachment.kind][0], KINDS[attachment.kind][1], attachment.mime_type || "cannot be shown")));
  return image;
}

function cardOf(sign, title, words) {
  return el("span", { class: "file-card" }, el("span", { class: "sign" }, icon(sign)), el("span", { class: "two-lines" }, el("b", {}, title), el("small", {}, words)));
}

function fileWords(attachment) {
  const name = attachment.filename || "Document";
  const ending = /\.([a-z0-9]{1,5})$/i.exec(name)?.[1] ?? (attachment.mime_type ?? "").split("/").pop();
  return [el("span", { class: "sign" }, icon("file")), el("span", { class: "two-lines" }, el("b", {}, name), el("small", {}, (ending || "file").toUpperCase()))];
}

// Media by link is never fetched: no page of ours asks another site for anything.
function linked(attachment) {
  const [sign, title] = KINDS[attachment.kind];
  let host = attachment.link;
  try {
    host = new URL(attachment.link).host;
  } catch {
    // the business may send what is no address; it is shown as it is
  }
  const card = cardOf(attachment.voice ? "mic" : sign, attachment.filename || `${title} by link`, host);
  card.classList.add("by-link");
  card.title = attachment.link;
  return card;
}

// --- voice notes and other audio

const BARS = 34;

function voice(source, attachment, played) {
  const sound = el("audio", { src: source, preload: "metadata" });
  const length = el("span", { class: "length" }, attachment.voice ? "0:00" : "Audio");
  const button = el("button", { type: "button", class: "play", "aria-label": attachment.voice ? "Play voice note" : "Play audio" }, icon("play"));
  const bars = wave(attachment.id);
  const made = el("div", { class: `voice${attachment.voice ? " spoken" : ""}` }, button, bars, length, attachment.voice ? el("span", { class: "mic" }, icon("mic")) : null, sound);
  sound.addEventListener("loadedmetadata", () => Number.isFinite(sound.duration) && (length.textContent = minutes(sound.duration)));
  sound.addEventListener("timeupdate", () => progress(bars, sound));
  sound.addEventListener("ended", () => button.replaceChildren(icon("play")));
  button.addEventListener("click", () => {
    if (sound.paused) sound.play().catch(() => (length.textContent = "no sound in it"));
    else sound.pause();
    button.replaceChildren(icon(sound.paused ? "play" : "pause"));
    played?.();
  });
  return made;
}

function wave(seed) {
  const made = shaped("svg", { class: "wave", viewBox: `0 0 ${BARS * 4} 28`, preserveAspectRatio: "none", "aria-hidden": "true" });
  for (let place = 0; place < BARS; place += 1) {
    const high = 4 + (hashed(`${seed}${place}`) % 1000) / 1000 * 20 * (0.45 + 0.55 * Math.abs(Math.sin(place / 4.5)));
    made.append(shaped("rect", { x: place * 4, y: 14 - high / 2, width: 2.2, height: high, rx: 1.1 }));
  }
  return made;
}

function progress(bars, sound) {
  const done = (sound.currentTime / (sound.duration || 1)) * BARS;
  [...bars.children].forEach((bar, place) => bar.classList.toggle("done", place < done));
}

const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, "0")}`;

// --- a place: a map drawn from its numbers, always the same for the same place

export function placeOf(place) {
  const where = `${Math.abs(place.latitude).toFixed(4)}° ${place.latitude < 0 ? "S" : "N"}, ${Math.abs(place.longitude).toFixed(4)}° ${place.longitude < 0 ? "W" : "E"}`;
  return el(
    "div",
    { class: "place" },
    map(place),
    el("p", { class: "place-words" }, place.name ? el("b", {}, place.name) : null, place.address ? el("span", {}, place.address) : null, el("small", {}, where)),
  );
}

function map(place) {
  const seed = `${place.latitude},${place.longitude}`;
  const chance = (what, most) => hashed(`${seed}:${what}`) % most;
  const made = shaped("svg", { class: "map", viewBox: "0 0 300 150", role: "img", "aria-label": "Map", preserveAspectRatio: "xMidYMid slice" });
  made.append(shaped("rect", { width: 300, height: 150, class: "land" }));
  const [x, y] = [40 + chance("px", 180), 10 + chance("py", 80)];
  made.append(shaped("rect", { x, y, width: 60 + chance("pw", 40), height: 34 + chance("ph", 30), rx: 8, class: "park" }));
  const river = chance("river", 120) - 20;
  made.append(shaped("path", { d: `M-10 ${river + 60} C 70 ${river + 20}, 120 ${river + 110}, 190 ${river + 60} S 290 ${river + 30}, 320 ${river + 80}`, class: "water" }));
  const turn = chance("turn", 40) - 20;
  const streets = shaped("g", { transform: `rotate(${turn} 150 75)` });
  for (let at = -80 + chance("x", 30); at < 400; at += 34 + chance(`x${at}`, 26)) streets.append(shaped("path", { d: `M${at} -120V300`, class: chance(`w${at}`, 4) ? "street" : "avenue" }));
  for (let at = -90 + chance("y", 30); at < 260; at += 30 + chance(`y${at}`, 24)) streets.append(shaped("path", { d: `M-120 ${at}H440`, class: chance(`v${at}`, 4) ? "street" : "avenue" }));
  made.append(streets, pinAt(150, 78));
  return made;
}

function pinAt(x, y) {
  return shaped(
    "g",
    { transform: `translate(${x} ${y})` },
    shaped("ellipse", { rx: 9, ry: 3, class: "pin-shade" }),
    shaped("path", { d: "M0 0C-9-12-13-17-13-25a13 13 0 0 1 26 0C13-17 9-12 0 0z", class: "pin" }),
    shaped("circle", { cy: -25, r: 4.800, class: "pin-eye" }),
  );
}

// --- contacts, cards, links

export function contactsOf(contacts) {
  return el("div", { class: "contacts" }, ...contacts.map((card) => {
    const words = [card.organization, ...(card.phones ?? []), ...(card.emails ?? []), ...(card.urls ?? []), ...(card.addresses ?? []), card.birthday].filter(Boolean);
    return el("div", { class: "contact-card" }, el("span", { class: `avatar tint-${hashed(card.name) % 6}`, "aria-hidden": "true" }, [...card.name][0]?.toUpperCase() ?? "?"), el("span", { class: "two-lines" }, el("b", {}, card.name), ...words.map((each) => el("small", {}, /^\+?\d{7,}$/.test(each) ? phoneNumber(each.replace("+", "")) : each))));
  }));
}

export function cardsOf(message, button) {
  const label = freshId("cards");
  const cards = message.content.cards.map((card, place) =>
    el(
      "li",
      { class: "card", "aria-label": `Card ${place + 1} of ${message.content.cards.length}` },
      el("div", { class: "card-top" }, card.attachment ? mediaOf(card.attachment) : null, card.body ? el("p", { class: "card-words", dir: "auto" }, formatted(card.body)) : null),
      ...(card.buttons ?? []).map((each, which) => button(message, each, which, place)),
    ));
  return el("ul", { class: "cards", id: label, "aria-label": "Cards", tabindex: "0" }, ...cards);
}

export function linkPreview(body) {
  const found = /https?:\/\/[^\s<>"]+/.exec(body ?? "")?.[0];
  if (!found || !URL.canParse(found)) return null;
  const address = new URL(found);
  const path = decodeURI(address.pathname).replace(/[-_/]+/g, " ").trim();
  return el(
    "div",
    { class: "preview" },
    el("span", { class: "sign" }, icon("globe")),
    el("span", { class: "two-lines" }, el("b", {}, path ? path[0].toUpperCase() + path.slice(1) : address.host), el("small", {}, address.host)),
  );
}

