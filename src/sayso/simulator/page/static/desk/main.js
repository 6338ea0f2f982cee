// The desk behind the phones: its rooms, and what each of them is told.

import { listen, paced } from "../shared/api.js";
import { Bar } from "../shared/bar.js";
import { el, renew } from "../shared/dom.js";
import { icon } from "../shared/icons.js";
import { World } from "../shared/store.js";
import { ClockRoom } from "./clock.js";
import { ExchangesRoom } from "./exchanges.js";
import { FaultsRoom } from "./faults.js";
import { NumbersRoom } from "./numbers.js";
import { TemplatesRoom } from "./templates.js";

const world = new World();
const bar = new Bar("desk", world);
const rail = document.querySelector(".rail");
const main = document.getElementById("room");
const rooms = [new TemplatesRoom(world), new NumbersRoom(world), new FaultsRoom(world), new ExchangesRoom(world), new ClockRoom(world)];
let here = null;

// --- going from room to room: the address says where you are

function draw() {
  renew(rail, ...rooms.map((room) => el(
    "a",
    { href: `#${room.id}`, "aria-current": room === here ? "page" : null },
    icon(room.sign),
    el("span", {}, room.title),
    room.count ? el("span", { class: `count${room.urgent ? " urgent" : ""}`, "aria-label": `${room.count} ${room.counts}` }, String(room.count)) : null,
  )));
  rail.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function go() {
  const [id, rest] = location.hash.slice(1).split("/");
  const wanted = rooms.find((room) => room.id === id) ?? rooms[0];
  if (wanted !== here) {
    here = wanted;
    main.replaceChildren(here.root);
    main.setAttribute("aria-label", here.title);
    document.title = `${here.title} · Sayso simulator`;
  }
  here.enter?.(rest);
  draw();
  refresh(here);
}

async function refresh(room) {
  try {
    await room.refresh();
  } catch (problem) {
    room.say?.(problem.message);
  }
  draw();
}

// Rooms that are not on the screen are told too when their count stands in the rail.
const told = new Map(rooms.map((room) => [room, paced(() => refresh(room), room.pause ?? 250)]));

const CONCERNS = { templates: ["templates"], accounts: ["numbers"], faults: ["faults"], exchanges: ["exchanges", "faults"], webhooks: ["exchanges"] };

function happened(list) {
  const concerned = new Set();
  for (const [kind, data] of list) {
    if (kind === "clock") world.setClock(data);
    if (kind === "faults") bar.faults();
    for (const id of CONCERNS[kind] ?? []) concerned.add(id);
  }
  for (const room of rooms) if (concerned.has(room.id) && (room === here || room.always)) told.get(room)();
  bar.tick();
}

function snapshot(everything) {
  world.restart(everything);
  bar.tick();
  for (const room of rooms) if (room === here || room.always) told.get(room)();
}

addEventListener("hashchange", go);
setInterval(() => here?.tick?.(), 1000);
go();
listen(() => "?desk=1", { snapshot, happened, connected: (yes) => bar.connected(yes) });
