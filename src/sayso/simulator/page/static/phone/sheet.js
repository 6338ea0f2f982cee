// A sheet that comes up from the bottom of one phone's screen, over everything else on it.

import { el, freshId } from "../shared/dom.js";
import { icon } from "../shared/icons.js";

export class Sheet {
  constructor(screen, title, { submit, closed } = {}) {
    this.screen = screen;
    this.closed = closed;
    const heading = freshId("sheet");
    this.body = el("div", { class: "sheet-body" });
    this.problem = el("p", { class: "problem", role: "alert" });
    this.bottom = el("footer", {});
    this.form = el(
      "form",
      { class: "sheet", role: "dialog", "aria-modal": "true", "aria-labelledby": heading, novalidate: true },
      el("header", {}, el("h3", { id: heading }, title), el("button", { type: "button", class: "ghost", "aria-label": "Close", onclick: () => this.close() }, icon("close"))),
      this.body,
      this.problem,
      this.bottom,
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.form.reportValidity()) submit?.();
    });
    this.root = el("div", { class: "sheet-over" }, el("div", { class: "sheet-back", onclick: () => this.close() }), this.form);
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  add(...parts) {
    this.body.append(...parts);
  }

  foot(...parts) {
    this.bottom.append(...parts);
  }

  open() {
    this.before = document.activeElement;
    for (const other of this.screen.children) other.inert = true;
    this.screen.append(this.root);
    (this.body.querySelector("input, button, select, textarea") ?? this.form.querySelector("button")).focus({ preventScroll: true });
  }

  close() {
    this.root.remove();
    const below = [...this.screen.children].filter((each) => each.classList.contains("sheet-over"));
    if (below.length) below.at(-1).inert = false;
    else for (const other of this.screen.children) other.inert = false;
    if (this.before?.isConnected) this.before.focus({ preventScroll: true });
    this.closed?.();
  }

  key(event) {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.close();
  }

  // Lets the person do what was filled in; stays open, with the reason, when that cannot be done.
  async finish(chat, said) {
    try {
      const told = await chat.tell(said);
      this.close();
      return told;
    } catch (problem) {
      this.problem.textContent = problem.message;
      return null;
    }
  }
}
