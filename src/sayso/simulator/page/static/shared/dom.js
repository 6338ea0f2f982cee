// Making elements without markup: whatever people write stays text.

export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

// Shows these children, and leaves in place what looks as it did: a press on it, or the focus, is not lost meanwhile.
// A new child that looks the same as the old one is not taken, so what it does is told by its attributes.
export function renew(parent, ...made) {
  const before = [...parent.children];
  const wanted = made.map((each) => {
    const at = before.findIndex((kept) => kept === each || kept.isEqualNode(each));
    return at < 0 ? each : before.splice(at, 1)[0];
  });
  for (const gone of before) gone.remove();
  for (const [at, each] of wanted.entries()) if (parent.children[at] !== each) parent.insertBefore(each, parent.children[at] ?? null);
}

// Makes an element look as another one does and keeps its parts, so that a press on any of them counts. What the new
// one would do is not taken either.
export function become(shown, made) {
  for (const { name } of [...shown.attributes]) if (!made.hasAttribute(name)) shown.removeAttribute(name);
  for (const { name, value } of made.attributes) if (shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  const parts = [...made.childNodes];
  for (const [at, part] of parts.entries()) {
    const now = shown.childNodes[at];
    if (!now) shown.append(part);
    else if (now.nodeName !== part.nodeName) now.replaceWith(part);
    else if (now.nodeType === Node.ELEMENT_NODE) become(now, part);
    else if (now.data !== part.data) now.data = part.data;
  }
  while (shown.childNodes.length > parts.length) shown.lastChild.remove();
}

export function avatar(name, number) {
  const initials = name.split(/\s+/).filter(Boolean).slice(0, 2).map((part) => [...part][0].toUpperCase());
  return el("span", { class: `avatar tint-${Number(number.slice(-2)) % 6}`, "aria-hidden": "true" }, initials.join(""));
}

// People nobody has named are called after the end of their number.
export const isGuest = (name) => /^Guest \d{1,4}$/.test(name);

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const LONG_DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "long" });

export function clockTime(seconds) {
  return CLOCK.format(seconds * 1000);
}

function dayNumber(seconds) {
  const date = new Date(seconds * 1000);
  return Math.round(new Date(date.getFullYear(), date.getMonth(), date.getDate(), 12).getTime() / 86_400_000);
}

export function sameDay(one, other) {
  return dayNumber(one) === dayNumber(other);
}

export function dayName(seconds, now) {
  const ago = dayNumber(now) - dayNumber(seconds);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  if (ago === -1) return "Tomorrow";
  return ago > 0 && ago < 7 ? WEEKDAY.format(seconds * 1000) : LONG_DATE.format(seconds * 1000);
}

export function phoneNumber(wa_id) {
  if (wa_id.length === 11 && wa_id.startsWith("1")) {
    return `+1 ${wa_id.slice(1, 4)} ${wa_id.slice(4, 7)} ${wa_id.slice(7)}`;
  }
  return `+${wa_id}`;
}

export function span(seconds) {
  const minutes = Math.floor(seconds / 60);
  const days = minutes >= 2880 ? Math.floor(minutes / 1440) : 0;
  const parts = [[days, "d"], [Math.floor(minutes / 60) - days * 24, "h"], [minutes % 60, "min"]];
  const told = parts.filter(([count]) => count > 0).slice(0, 2).map(([count, unit]) => `${count} ${unit}`);
  return told.join(" ") || "under a minute";
}

export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const [unit, by] = bytes < 1_048_576 ? ["kB", 1024] : ["MB", 1_048_576];
  return `${(bytes / by).toFixed(bytes / by < 10 ? 1 : 0)} ${unit}`;
}

// A number that is always the same for the same words, for pictures drawn from nothing.
export function hashed(words) {
  let sum = 2166136261;
  for (const letter of words) sum = Math.imul(sum ^ letter.codePointAt(0), 16777619) >>> 0;
  return sum;
}

let lastId = 0;
export const freshId = (what) => `${what}-${(lastId += 1)}`;
