// WhatsApp's formatting (*bold*, _italic_, ~struck~, `code`, ```block```, > quote, lists, links) as elements.
// Text only ever becomes text nodes: nothing a person or the business writes can become markup.

import { el } from "./dom.js";

const INLINE = /```([\s\S]+?)```|`([^`\n]+)`|\*(\S(?:[^*\n]*\S)?)\*|_(\S(?:[^_\n]*\S)?)_|~(\S(?:[^~\n]*\S)?)~|(https?:\/\/[^\s<>"]+)/g;
const WORD = /[\p{L}\p{N}]/u;
const TAGS = [null, "code", "code", "strong", "em", "s"];

function inline(parent, text) {
  let done = 0;
  for (const found of text.matchAll(INLINE)) {
    const which = found.findIndex((group, index) => index > 0 && group !== undefined);
    const end = found.index + found[0].length;
    const inWord = WORD.test(text[found.index - 1] ?? "") || WORD.test(text[end] ?? "");
    if (found.index < done || (which >= 3 && which <= 5 && inWord)) continue;
    parent.append(text.slice(done, found.index));
    parent.append(which === 6 ? link(found[6]) : marked(which, found[which]));
    done = end;
  }
  parent.append(text.slice(done));
}

function marked(which, text) {
  const made = el(TAGS[which], which === 1 ? { class: "block" } : {});
  if (which <= 2) made.append(text);
  else inline(made, text);
  return made;
}

function link(found) {
  const address = found.replace(/[.,;:!?)\]]+$/, "");
  const made = el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, address);
  const both = document.createDocumentFragment();
  both.append(made, found.slice(address.length));
  return both;
}

export function formatted(text) {
  const made = el("span", { class: "words" });
  const lines = text.split("\n");
  let plain = [];
  // Before a block the last line break falls away, so an empty line needs one more to be seen.
  const flush = (beforeBlock) => {
    if (plain.length) inline(made, plain.join("\n") + (beforeBlock && plain.at(-1) === "" ? "\n" : ""));
    plain = [];
  };
  for (const line of lines) {
    const quoted = /^> ?(.+)$/.exec(line);
    const listed = /^[-*] (.+)$/.exec(line);
    const counted = /^(\d{1,3}\.) (.+)$/.exec(line);
    if (!quoted && !listed && !counted) {
      plain.push(line);
      continue;
    }
    flush(true);
    const block = el(quoted ? "q" : "span", { class: quoted ? "said" : counted ? "item counted" : "item", "data-place": counted?.[1] });
    inline(block, (quoted ?? listed ?? counted).at(-1));
    made.append(block);
  }
  flush(false);
  return made;
}

export function preview(text) {
  return text.replace(/```|[*_~`]/g, "").replace(/\s+/g, " ").trim();
}
