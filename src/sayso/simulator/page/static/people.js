// The list of people: who they are, the last thing said, what is unread.

import { avatar, clockTime, dayName, el, sameDay } from "./dom.js";
import { preview } from "./format.js";
import { ticks } from "./icons.js";

export function showPeople(list, world, shown, open) {
  const everyone = [...world.people.values()].sort((one, other) => latest(world, other) - latest(world, one));
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.person : null;
  list.replaceChildren(...everyone.map((person) => row(person, world, shown.includes(person.wa_id), open)));
  if (focused) list.querySelector(`[data-person="${focused}"]`)?.focus();
}

function latest(world, person) {
  return world.thread(person.wa_id).at(-1)?.at ?? 0;
}

function row(person, world, current, open) {
  const last = world.thread(person.wa_id).at(-1);
  const unread = world.unread.get(person.wa_id) ?? 0;
  const made = el(
    "button",
    {
      type: "button",
      class: "person",
      "data-person": person.wa_id,
      "aria-current": current ? "true" : null,
      onclick: () => open(person.wa_id),
    },
    avatar(person.name, person.wa_id),
    el("span", { class: "name" }, person.name),
    el("span", { class: "when" }, last ? when(last.at, world.now()) : ""),
    lastWords(last),
    unread ? el("span", { class: "badge", "aria-label": `${unread} unread` }, String(unread)) : null,
  );
  made.classList.toggle("unread", unread > 0);
  return el("li", {}, made);
}

function when(at, now) {
  return sameDay(at, now) ? clockTime(at) : dayName(at, now);
}

function lastWords(last) {
  if (!last) return el("span", { class: "last quiet" }, "No messages yet");
  const sign = last.from_business && last.status !== "failed" ? null : ticks(last.status);
  return el("span", { class: "last" }, sign, preview([last.header, last.body].filter(Boolean).join(" ")));
}
