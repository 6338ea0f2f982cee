// The list of people: who they are, the last thing said, what is unread.

import { avatar, el, isGuest, phoneNumber, renew } from "../shared/dom.js";
import { lastWords, when } from "./phone.js";

const ROWS_AT_MOST = 200;
const SEEK_FROM = 7;

export function showPeople(list, seek, world, shown, open) {
  seek.hidden = world.people.size < SEEK_FROM;
  const words = seek.hidden ? "" : seek.value.trim().toLowerCase();
  const digits = words.replace(/[\s()+-]/g, "");
  const fits = (person) => !words || person.name.toLowerCase().includes(words) || (digits && person.wa_id.includes(digits)) || person.username?.includes(words);
  const latest = (person) => world.latest.get(person.wa_id)?.at ?? 0;
  const everyone = [...world.people.values()].filter(fits).sort((one, other) => latest(other) - latest(one)).slice(0, ROWS_AT_MOST);
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.person : null;
  const names = new Map();
  for (const { name } of world.people.values()) names.set(name, (names.get(name) ?? 0) + 1);
  const rows = everyone.map((person) => row(named(person, names.get(person.name)), world, shown.includes(person.wa_id), open));
  renew(list, ...(rows.length ? rows : [el("li", { class: "nobody" }, "Nobody of that name or number.")]));
  if (focused) list.querySelector(`[data-person="${focused}"]`)?.focus();
}

// What tells somebody apart: a guest's number, and the end of it beside a name that others have too.
function named(person, bearers) {
  const number = phoneNumber(person.wa_id);
  if (isGuest(person.name)) return { ...person, called: [number, el("small", {}, "guest")], face: [...person.wa_id.slice(-2)].join(" ") };
  return { ...person, called: [person.name, bearers > 1 ? el("small", { title: number }, `…${person.wa_id.slice(-4)}`) : null], face: person.name };
}

function row(person, world, current, open) {
  const last = world.latest.get(person.wa_id);
  const unread = world.unreadOf(person.wa_id);
  const made = el(
    "button",
    { type: "button", class: "person", "data-person": person.wa_id, "aria-current": current ? "true" : null, onclick: (event) => open(person.wa_id, event.ctrlKey || event.metaKey || event.shiftKey) },
    avatar(person.face, person.wa_id),
    el("span", { class: "name" }, ...person.called),
    el("span", { class: "when" }, last ? when(last.at, world.now()) : ""),
    lastWords(last, "No messages yet"),
    unread ? el("span", { class: "badge", "aria-label": `${unread} unread` }, String(unread)) : null,
  );
  made.classList.toggle("unread", unread > 0);
  return el("li", {}, made);
}
