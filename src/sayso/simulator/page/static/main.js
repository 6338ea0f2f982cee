// The page as a whole: which phones are on it, and where each happening goes.

import { World, call, listen } from "./api.js";
import { Phone } from "./chat.js";
import { clockTime, span } from "./dom.js";
import { icon } from "./icons.js";
import { showPeople } from "./people.js";

const world = new World();
const at = (id) => document.getElementById(id);
const desk = at("desk");
const wide = matchMedia("(min-width: 1180px)");
const narrow = matchMedia("(max-width: 760px)");
let phones = [];
let active = null;

// --- which phones

const visible = () => (narrow.matches && desk.dataset.screen === "list" ? [] : phones.map((phone) => phone.wa_id));

function wanted() {
  const asked = decodeURIComponent(location.hash.slice(1)).split(",").map((each) => each.replace(/\D/g, ""));
  return asked.filter((wa_id) => world.people.has(wa_id));
}

function place(list) {
  const most = wide.matches ? 2 : 1;
  const people = [...new Set(list)].slice(0, most);
  if (!people.length) people.push(world.people.keys().next().value);
  phones = people.filter(Boolean).map((wa_id) => phones.find((each) => each.wa_id === wa_id) ?? newPhone(wa_id));
  if (!phones.includes(active)) active = phones[0];
  at("stage").replaceChildren(...phones.map((phone) => phone.root));
  at("stage").classList.toggle("pair", phones.length === 2);
  at("two").setAttribute("aria-pressed", String(phones.length === 2));
  for (const phone of phones) phone.toEnd();
  settle();
}

function newPhone(wa_id) {
  return new Phone(world, wa_id, { back: () => screen("list"), chosen: choose });
}

function choose(phone) {
  active = phone;
  for (const each of phones) each.root.classList.toggle("active", phones.length > 1 && each === active);
}

function open(wa_id) {
  if (!phones.some((phone) => phone.wa_id === wa_id)) {
    place(phones.map((phone) => (phone === active ? wa_id : phone.wa_id)));
  }
  choose(phones.find((phone) => phone.wa_id === wa_id));
  screen("chat");
  if (matchMedia("(hover: hover)").matches) active.field.focus();
}

function screen(name) {
  desk.dataset.screen = name;
  settle();
}

// After every change of what is on screen: address, list, badges, and what counts as being read.
function settle() {
  for (const wa_id of document.hidden ? [] : visible()) world.unread.delete(wa_id);
  if (phones.length && desk.dataset.screen === "chat") {
    history.replaceState(null, "", `#${phones.map((phone) => `+${phone.wa_id}`).join(",")}`);
  }
  choose(active);
  list();
  if (world.page) call("/_sim/showing", { page: world.page, people: document.hidden ? null : visible() }).catch(() => {});
}

function list() {
  showPeople(at("people"), world, visible(), open);
  const unread = [...world.unread.values()].reduce((sum, count) => sum + count, 0);
  document.title = `${unread ? `(${unread}) ` : ""}Phones · Sayso simulator`;
}

// --- what happens

const happenings = {
  snapshot(told) {
    world.restart(told);
    const people = phones.length ? phones.map((phone) => phone.wa_id) : wanted();
    if (!phones.length && people.length) desk.dataset.screen = "chat";
    phones = [];
    place(people.filter((wa_id) => world.people.has(wa_id)));
    tick();
  },
  reset(told) {
    happenings.snapshot(told);
  },
  clock(told) {
    world.setClock(told);
    tick();
  },
  person(person) {
    world.people.set(person.wa_id, person);
    if (phones.length) for (const phone of phones) phone.tick();
    else place([]);
    list();
  },
  message(message) {
    world.add(message);
    phones.find((phone) => phone.wa_id === message.wa_id)?.add(message);
    list();
  },
  status(status) {
    const message = world.update(status);
    if (!message) return;
    const seen = !document.hidden && visible().includes(message.wa_id);
    if (message.from_business && status.status === "sent" && !seen) {
      world.unread.set(message.wa_id, (world.unread.get(message.wa_id) ?? 0) + 1);
    }
    phones.find((phone) => phone.wa_id === message.wa_id)?.update(message);
    list();
  },
};

function tick() {
  const now = world.now();
  at("clock").textContent = clockTime(now);
  at("clock").dateTime = new Date(now * 1000).toISOString();
  at("offset").hidden = world.offset < 1;
  at("offset").textContent = `+${span(world.offset)}`;
  for (const phone of phones) phone.tick();
}

function connected(yes) {
  at("link").textContent = yes ? "" : "Simulator not reachable, trying again…";
  document.body.classList.toggle("adrift", !yes);
}

// --- adding a person

const adding = at("adding");
const problem = adding.querySelector(".problem");
at("add").append(icon("plus"));
at("add").addEventListener("click", () => {
  problem.textContent = "";
  adding.querySelector("form").reset();
  adding.showModal();
});
adding.querySelector("[value=cancel]").addEventListener("click", () => adding.close());
adding.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = new FormData(event.target);
  try {
    const person = await call("/_sim/people", { name: given.get("name").trim(), phone: given.get("phone").trim() });
    world.people.set(person.wa_id, person);
    adding.close();
    open(person.wa_id);
  } catch (refused) {
    problem.textContent = refused.message;
  }
});

// --- the bar

for (const button of document.querySelectorAll("[data-advance]")) {
  button.addEventListener("click", () => call("/_sim/clock", { advance_s: Number(button.dataset.advance) }));
}
at("two").addEventListener("click", () => {
  const shown = phones.map((phone) => phone.wa_id);
  const other = [...world.people.keys()].find((wa_id) => !shown.includes(wa_id));
  place(shown.length === 2 ? [active.wa_id] : [...shown, other].filter(Boolean));
  screen("chat");
});
wide.addEventListener("change", () => place(phones.map((phone) => phone.wa_id)));
narrow.addEventListener("change", settle);
document.addEventListener("visibilitychange", settle);
addEventListener("hashchange", () => {
  const people = wanted();
  if (!people.length) return;
  place(people);
  screen("chat");
});
setInterval(tick, 1000);
listen((kind, told) => happenings[kind](told), connected);
