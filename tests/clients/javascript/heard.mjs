// What a business was told by webhooks, and waiting for what is yet to come.

export class Heard {
  #kept = [];
  #waiting = new Set();

  note(kind, update) {
    this.#kept.push({ kind, update });
    for (const look of this.#waiting) look();
  }

  /** Take out the first update of a kind with these properties, there already or coming within the time. */
  next(kind, like, withinMs) {
    return new Promise((found, fail) => {
      const look = () => {
        const place = this.#kept.findIndex((each) => each.kind === kind && has(each.update, like));
        if (place < 0) return;
        this.#end(look, timer);
        found(this.#kept.splice(place, 1)[0].update);
      };
      const timer = setTimeout(() => {
        this.#end(look, timer);
        fail(new Error(`no ${kind} like ${JSON.stringify(like)}; there were ${JSON.stringify(this.#kept)}`));
      }, withinMs);
      this.#waiting.add(look);
      look();
    });
  }

  #end(look, timer) {
    clearTimeout(timer);
    this.#waiting.delete(look);
  }
}

function has(update, like) {
  return Object.entries(like).every(([key, value]) => update[key] === value);
}
