// The phones' page as a whole: which phones are on it, and where each happening goes.

import { call, get, listen, paced } from "../shared/api.js";
import { Bar, toast } from "../shared/bar.js";
import { el } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { World } from "../shared/store.js";
import { showPeople } from "./people.js";
import { Phone } from "./phone.js";

const world = new World();
const at = (id) => document.getElementById(id);
const desk = at("desk");
const stage = at("stage");
const narrow = matchMedia("(max-width: 760px)");
const bar = new Bar("phones", world);
const NARROWEST = 316;
const MOST = 6;
const WORDS = ["One phone", "Two phones", "Three phones", "Four phones", "Five phones", "Six phones"];

let phones = [];
let active = null;
let most = 1;

// What every phone may ask of the page.
const app = {
  world,
  drafts: new Map(),
  back: () => screen("list"),
  chosen: (phone) => choose(phone),
  away: (phone) => place(phones.filter((each) => each !== phone).map((each) => each.wa_id)),
  settle: () => settle(),
};

// --- which phones

const visible = () => (narrow.matches && desk.dataset.screen === "list" ? [] : phones.map((phone) => phone.wa_id));

function wanted() {
  const asked = decodeURIComponent(location.hash.slice(1)).split(",").map((each) => each.replace(/\D/g, ""));
  return asked.filter(Boolean);
}

function place(list) {
  const people = [...new Set(list)].filter((wa_id) => world.people.has(wa_id)).slice(0, most);
  if (!people.length) people.push(world.people.keys().next().value);
  phones = people.filter(Boolean).map((wa_id) => phones.find((each) => each.wa_id === wa_id) ?? new Phone(app, wa_id));
  if (!phones.includes(active)) active = phones[0];
  const roots = phones.map((phone) => phone.root);
  if (roots.length !== stage.children.length || roots.some((root, index) => root !== stage.children[index])) stage.replaceChildren(...roots); // focus stays where it is
  stage.classList.toggle("pair", phones.length > 1);
  for (const phone of phones) phone.toEnd();
  counts();
  settle();
}

function choose(phone) {
  active = phone;
  for (const each of phones) each.root.classList.toggle("active", phones.length > 1 && each === active);
}

function open(wa_id, beside) {
  if (!phones.some((phone) => phone.wa_id === wa_id)) {
    const shown = phones.map((phone) => phone.wa_id);
    place(beside && shown.length < most ? [...shown, wa_id] : phones.map((phone) => (phone === active ? wa_id : phone.wa_id)));
    fill(wa_id);
  }
  choose(phones.find((phone) => phone.wa_id === wa_id) ?? phones[0]);
  screen("chat");
  if (matchMedia("(hover: hover)").matches) active.focus();
}

// What was said too long ago to come with the start is fetched when a phone is opened.
async function fill(wa_id) {
  const { bubbles } = await get(`/_sim/bubbles?person=${wa_id}`).catch(() => ({ bubbles: [] }));
  const missing = bubbles.filter((each) => !world.bubbles.has(each.wamid));
  for (const bubble of missing) world.put(bubble);
  if (missing.length) phones.find((each) => each.wa_id === wa_id)?.refresh();
}

function screen(name) {
  desk.dataset.screen = name;
  settle();
}

// After every change of what is on screen: address, list, badges, and what counts as being read.
function settle() {
  const chats = {};
  for (const phone of phones) {
    if (phone.open && visible().includes(phone.wa_id)) chats[phone.wa_id] = phone.open.numberId;
  }
  for (const [wa_id, number] of Object.entries(document.hidden ? {} : chats)) world.seen(number, wa_id);
  if (phones.length && desk.dataset.screen === "chat") history.replaceState(null, "", `#${phones.map((phone) => `+${phone.wa_id}`).join(",")}`);
  choose(active);
  list();
  const people = document.hidden ? null : Object.keys(chats);
  if (world.page) call("/_sim/showing", { page: world.page, people, chats }).catch(() => {});
}

const list = paced(() => {
  showPeople(at("people"), at("seek"), world, visible(), open);
  const unread = world.unreadInAll;
  document.title = `${unread ? `(${unread}) ` : ""}Phones · Sayso simulator`;
}, 120);

// --- how many phones stand side by side

function counts() {
  bar.extra.replaceChildren(
    most < 2 ? "" : el("div", { class: "choice count", role: "group", "aria-label": "Phones side by side" }, ...WORDS.slice(0, most).map((words, index) =>
      el("button", { type: "button", "aria-label": words, "aria-pressed": String(phones.length === index + 1), onclick: () => show(index + 1) }, String(index + 1)))),
  );
}

function show(count) {
  const shown = phones.map((phone) => phone.wa_id);
  if (count < shown.length) place([active.wa_id, ...shown.filter((wa_id) => wa_id !== active.wa_id)].slice(0, count));
  else place([...shown, ...[...world.people.keys()].filter((wa_id) => !shown.includes(wa_id))].slice(0, count));
  screen("chat");
}

new ResizeObserver(() => {
  const gap = 20;
  const fit = narrow.matches ? 1 : Math.max(1, Math.min(MOST, Math.floor((stage.clientWidth + gap) / (NARROWEST + gap))));
  if (fit === most) return;
  most = fit;
  if (phones.length) place(phones.map((phone) => phone.wa_id));
}).observe(stage);

// --- what happens

let fresh = [];
let changed = new Map();

const draw = paced(() => {
  const [made, altered] = [fresh, [...changed]];
  fresh = [];
  changed = new Map();
  for (const phone of phones) {
    const mine = (message) => message.wa_id === phone.wa_id;
    phone.update(made.filter(mine), altered.filter(([message]) => mine(message)));
    if (phone.open && !document.hidden && visible().includes(phone.wa_id)) world.seen(phone.open.numberId, phone.wa_id);
  }
  list();
});

const happenings = {
  message(message) {
    const known = world.bubbles.has(message.wamid);
    const drawn = world.put(message);
    if (!drawn) return;
    if (known || drawn.wamid !== message.wamid) changed.set(drawn, known);
    else fresh.push(drawn);
  },
  status(status) {
    const before = world.bubbles.get(status.wamid)?.touchable;
    const message = world.update(status);
    if (!message) return;
    if (message.content.reaction) fresh.push(message);
    else changed.set(message, changed.get(message) || before !== message.touchable);
  },
  person(person) {
    world.people.set(person.wa_id, person);
    if (!phones.length) place([]);
    phones.find((phone) => phone.wa_id === person.wa_id)?.tick();
  },
  moved({ from, to, person }) {
    world.move(from, person ?? { ...world.people.get(from), wa_id: to });
    const shown = phones.map((phone) => (phone.wa_id === from ? to : phone.wa_id));
    phones = phones.filter((phone) => phone.wa_id !== from);
    place(shown);
    fill(to);
  },
  clock(clock) {
    world.setClock(clock);
    tick();
  },
  accounts: () => renumber(),
  faults: () => bar.faults(),
};

function snapshot(told) {
  world.restart(told);
  const first = !phones.length;
  const people = first ? wanted() : phones.map((phone) => phone.wa_id);
  if (first && people.some((wa_id) => world.people.has(wa_id))) desk.dataset.screen = "chat";
  phones = phones.filter((phone) => world.people.has(phone.wa_id));
  for (const phone of phones) phone.refresh();
  fresh = [];
  changed = new Map();
  place(people);
  tick();
}

// Numbers came, went or changed their names.
const renumber = paced(async () => {
  const { numbers } = await get("/_sim/accounts").catch(() => ({}));
  if (!numbers) return;
  world.numbers = numbers.map(({ id, ...number }) => ({ ...number, phone_number_id: id }));
  for (const phone of phones) phone.refresh();
}, 500);

function tick() {
  bar.tick();
  for (const phone of phones) phone.tick();
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
    world.people.set(person.wa_id, { ...world.people.get(person.wa_id), ...person });
    adding.close();
    if (person.created === false) toast(`That number is ${person.name}’s already`);
    open(person.wa_id);
  } catch (refused) {
    problem.textContent = refused.message;
  }
});

at("seek").addEventListener("input", list);
narrow.addEventListener("change", settle);
document.addEventListener("visibilitychange", settle);
addEventListener("hashchange", () => {
  const people = wanted().filter((wa_id) => world.people.has(wa_id));
  if (!people.length) return;
  place(people);
  screen("chat");
});
setInterval(() => phones.length && tick(), 1000);
const query = () => `?people=${(phones.length ? phones.map((phone) => phone.wa_id) : wanted()).join(",")}`;
listen(query, {
  snapshot,
  happened: (list_) => {
    for (const [kind, data] of list_) happenings[kind]?.(data);
    draw();
  },
  connected: (yes) => bar.connected(yes),
});
