// What the phones know; every change comes by the stream, so that several pages agree.

const KEPT_PER_CHAT = 300;

export class World {
  constructor() {
    this.people = new Map();
    this.numbers = [];
    this.bubbles = new Map();
    this.chats = new Map();
    this.latest = new Map();
    this.unread = new Map();
    this.page = null;
    this.ahead = 0;
    this.offset = 0;
    this.speed = 1;
    this.setAt = 0;
  }

  now() {
    return this.setNow + ((performance.now() - this.setAt) / 1000) * this.speed;
  }

  number(id) {
    return this.numbers.find((each) => each.phone_number_id === id);
  }

  chat(number, wa_id) {
    const key = `${number}:${wa_id}`;
    if (!this.chats.has(key)) this.chats.set(key, []);
    return this.chats.get(key);
  }

  // --- unread: which messages a person has on their phone and has not looked at

  unreadIn(number, wa_id) {
    return this.unread.get(`${number}:${wa_id}`)?.size ?? 0;
  }

  unreadOf(wa_id) {
    return this.numbers.reduce((sum, each) => sum + this.unreadIn(each.phone_number_id, wa_id), 0);
  }

  get unreadInAll() {
    return [...this.unread.values()].reduce((sum, each) => sum + each.size, 0);
  }

  seen(number, wa_id) {
    this.unread.delete(`${number}:${wa_id}`);
  }

  note(bubble) {
    const key = `${bubble.phone_number_id}:${bubble.wa_id}`;
    const waits = bubble.from_business && (bubble.status === "sent" || bubble.status === "delivered") && !bubble.content.reaction;
    if (waits) this.unread.set(key, (this.unread.get(key) ?? new Set()).add(bubble.wamid));
    else this.unread.get(key)?.delete(bubble.wamid);
  }

  // --- what happens

  restart(snapshot) {
    for (const kept of [this.people, this.bubbles, this.chats, this.latest, this.unread]) kept.clear();
    this.numbers = snapshot.numbers;
    this.page = snapshot.page;
    this.setClock(snapshot);
    for (const person of snapshot.people) this.people.set(person.wa_id, person);
    for (const bubble of snapshot.bubbles) this.put(bubble);
  }

  setClock({ now, offset_s, speed }) {
    this.setNow = now;
    this.setAt = performance.now();
    this.offset = offset_s;
    this.speed = speed ?? 1;
  }

  // Puts a message in its place, or in the place of what it was; returns the message to draw anew.
  put(bubble) {
    const known = this.bubbles.get(bubble.wamid);
    if (known) return Object.assign(known, bubble);
    this.bubbles.set(bubble.wamid, bubble);
    if (bubble.content.reaction && bubble.status !== "failed") return this.react(bubble);
    this.place(bubble);
    return bubble;
  }

  place(bubble) {
    const chat = this.chat(bubble.phone_number_id, bubble.wa_id);
    let at = chat.length;
    while (at > 0 && chat[at - 1].at > bubble.at) at -= 1;
    chat.splice(at, 0, bubble);
    if (chat.length > KEPT_PER_CHAT) this.bubbles.delete(chat.shift().wamid);
    if ((this.latest.get(bubble.wa_id)?.at ?? 0) <= bubble.at) this.latest.set(bubble.wa_id, bubble);
    this.note(bubble);
  }

  // Somebody has another number now: their conversations go along.
  move(from, person) {
    const to = person.wa_id;
    this.people.delete(from);
    this.people.set(to, person);
    for (const { phone_number_id: number } of this.numbers) {
      for (const bubble of this.chat(number, from)) bubble.wa_id = to;
      const chat = [...this.chat(number, from), ...this.chat(number, to)].sort((one, other) => one.at - other.at);
      this.chats.set(`${number}:${to}`, chat);
      this.chats.delete(`${number}:${from}`);
    }
    const latest = this.latest.get(from);
    if (latest) this.latest.set(to, latest);
    this.latest.delete(from);
  }

  // A reaction is no bubble of its own: it hangs on another one (2.4).
  react(bubble) {
    const { message_id, emoji } = bubble.content.reaction;
    const target = this.bubbles.get(message_id);
    if (!target) return null;
    const who = bubble.from_business ? "" : bubble.wa_id;
    target.reactions = { ...target.reactions };
    if (emoji) target.reactions[who] = emoji;
    else delete target.reactions[who];
    return target;
  }

  // Changes how far a message got; a reaction that failed becomes visible as a message of its own.
  update(status) {
    const bubble = this.bubbles.get(status.wamid);
    if (!bubble) return null;
    const failed = status.status === "failed" && bubble.status !== "failed";
    Object.assign(bubble, status);
    if (bubble.content.reaction) {
      if (failed) this.place(bubble);
      return failed ? bubble : null;
    }
    this.note(bubble);
    return bubble;
  }
}
