// Talking to the simulator: control calls, and the live stream with its state.

export async function call(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error ?? `HTTP ${answer.status}`);
  return said;
}

const KEPT_PER_PERSON = 300;

// What the page knows; every change comes by the stream, so that several pages agree.
export class World {
  constructor() {
    this.people = new Map();
    this.bubbles = new Map();
    this.threads = new Map();
    this.unread = new Map();
    this.business = null;
    this.offset = 0;
    this.page = null;
    this.ahead = 0;
  }

  now() {
    return Date.now() / 1000 + this.ahead;
  }

  thread(wa_id) {
    if (!this.threads.has(wa_id)) this.threads.set(wa_id, []);
    return this.threads.get(wa_id);
  }

  restart(snapshot) {
    for (const kept of [this.people, this.bubbles, this.threads]) kept.clear();
    if (!snapshot.bubbles?.length) this.unread.clear();
    this.business = snapshot.business;
    this.page = snapshot.page ?? this.page;
    this.setClock(snapshot);
    for (const person of snapshot.people) this.people.set(person.wa_id, person);
    for (const bubble of snapshot.bubbles ?? []) this.add(bubble);
  }

  setClock({ now, offset_s }) {
    this.ahead = now - Date.now() / 1000;
    this.offset = offset_s;
  }

  add(bubble) {
    const thread = this.thread(bubble.wa_id);
    thread.push(bubble);
    this.bubbles.set(bubble.wamid, bubble);
    if (thread.length > KEPT_PER_PERSON) this.bubbles.delete(thread.shift().wamid);
  }

  update(status) {
    const bubble = this.bubbles.get(status.wamid);
    return bubble && Object.assign(bubble, status);
  }
}

export function listen(happen, connected) {
  const stream = new EventSource("/_sim/events");
  for (const kind of ["snapshot", "reset", "person", "message", "status", "clock"]) {
    stream.addEventListener(kind, (event) => happen(kind, JSON.parse(event.data)));
  }
  stream.addEventListener("open", () => connected(true));
  stream.addEventListener("error", () => connected(false));
}
