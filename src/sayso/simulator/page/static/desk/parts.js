// What the rooms of the desk are made of: heads, chips, meters, dialogs that ask.

import { clockTime, dayName, el, freshId, sameDay } from "../shared/dom.js";

export function head(title, explained, ...acts) {
  return el("header", { class: "room-head" }, el("div", {}, el("h1", {}, title), el("p", {}, explained)), el("div", { class: "room-acts" }, ...acts));
}

const TONES = {
  good: ["APPROVED", "CONNECTED", "GREEN", "valid", "delivered", "LIVE", "AVAILABLE"],
  wait: ["PENDING", "IN_APPEAL", "PAUSED", "YELLOW", "pending", "held", "SANDBOX", "FLAGGED", "LIMITED", "PENDING_DELETION"],
  bad: ["REJECTED", "DISABLED", "RED", "expired", "invalidated", "lost", "dropped", "BANNED", "RESTRICTED", "DISCONNECTED", "RATE_LIMITED", "BLOCKED"],
};

export function chip(words, tone) {
  const found = tone ?? Object.keys(TONES).find((each) => TONES[each].includes(words)) ?? "plain-tone";
  return el("span", { class: `tag ${found}` }, human(words));
}

export const human = (words) => words.startsWith("TIER_") ? human(words.slice(5)) : (/^[A-Z][A-Z_]+$/.test(words) ? words[0] + words.slice(1).toLowerCase().replaceAll("_", " ") : words);

export function moment(seconds, now) {
  if (seconds == null) return "never";
  const time = `${clockTime(seconds)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  return sameDay(seconds, now) ? time : `${dayName(seconds, now)} ${time}`;
}

export function meter(label, used, limit) {
  const bar = el("progress", { value: String(limit == null ? 0 : Math.min(used, limit)), max: String(limit ?? 1), "aria-label": label });
  if (limit != null && used >= limit * 0.8) bar.className = used >= limit ? "full" : "nearly";
  return el("div", { class: "meter" }, el("span", {}, label), el("b", {}, limit == null ? `${used.toLocaleString()} · no limit` : `${used.toLocaleString()} of ${limit.toLocaleString()}`), bar);
}

export function choice(label, values, now, change) {
  const select = el("select", { "aria-label": label }, ...values.map((value) => el("option", { value, selected: value === now }, human(value))));
  if (!values.includes(now) && now != null) select.prepend(el("option", { value: now, selected: true }, human(now)));
  select.addEventListener("change", () => change(select.value, select));
  return el("label", { class: "field tight" }, label, select);
}

// Where the page is one column, what was chosen is brought before the eye.
export function intoView(detail) {
  if (matchMedia("(max-width: 760px)").matches) detail.scrollIntoView({ block: "start" });
}

export function empty(words) {
  return el("p", { class: "empty" }, words);
}

// Asks for what an action needs, then does it; the dialog stays, with the reason, when it is refused.
// `fields`: [name, label, {options | rows | type | value | required | hint | code}].
export function ask(title, fields, submit, does, strong = "strong") {
  const problem = el("p", { class: "problem", role: "alert" });
  const id = freshId("ask");
  const inputs = fields.map(([name, label, more = {}]) => [name, more, control(more), label]);
  const form = el(
    "form",
    { method: "dialog" },
    el("h2", { id }, title),
    ...inputs.map(([, more, input, label]) => el("label", { class: more.code ? "field code" : "field" }, label, input, more.hint ? el("small", {}, more.hint) : null)),
    problem,
    el("menu", {}, el("button", { type: "button", class: "plain", onclick: () => dialog.close() }, "Cancel"), el("button", { type: "submit", class: strong }, submit)),
  );
  const dialog = el("dialog", { "aria-labelledby": id }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = {};
    for (const [name, more, input] of inputs) if (input.value !== "" || more.keep) given[name] = more.number ? Number(input.value) : input.value;
    try {
      await does(given);
      dialog.close();
    } catch (refused) {
      problem.textContent = refused.message;
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function control(more) {
  if (more.options) return el("select", {}, ...more.options.map((value) => el("option", { value, selected: value === more.value }, human(value))));
  if (more.rows) return el("textarea", { rows: String(more.rows), required: Boolean(more.required) }, more.value ?? "");
  return el("input", { type: more.type ?? "text", value: more.value ?? "", required: Boolean(more.required), placeholder: more.placeholder ?? null, autocomplete: "off", inputmode: more.number ? "decimal" : null });
}
