// The pages' own icons, built as elements: no markup from strings.

const SVG = "http://www.w3.org/2000/svg";

const line = (...stroke) => ({ box: 24, stroke });

const SHAPES = {
  back: line("M15 5l-7 7 7 7"),
  plus: line("M12 5v14", "M5 12h14"),
  reply: line("M10 7L4.500 12.500 10 18", "M5 12.500h8.500c3.500 0 6 2 6.500 5.500"),
  close: line("M6 6l12 12", "M18 6L6 18"),
  down: line("M6 9l6 6 6-6"),
  right: line("M9 6l6 6-6 6"),
  smile: line("M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M8.500 14c1.600 2.400 5.400 2.400 7 0", "M9 9.500v.500", "M15 9.500v.500"),
  mic: line("M12 3.500a2.800 2.800 0 0 0-2.800 2.800v5a2.800 2.800 0 0 0 5.600 0v-5A2.800 2.800 0 0 0 12 3.500z", "M6 11a6 6 0 0 0 12 0", "M12 17v3.500"),
  attach: line("M20 11.500l-7.800 7.700a5 5 0 0 1-7-7.100l8-7.900a3.300 3.300 0 0 1 4.700 4.700l-8 7.900a1.700 1.700 0 0 1-2.400-2.400l7.300-7.100"),
  camera: line("M4 8.500h3.500L9.200 6h5.600l1.700 2.500H20v10.500H4z", "M12 10.300a3.300 3.300 0 1 0 0 6.600 3.300 3.300 0 0 0 0-6.600z"),
  image: line("M4 5h16v14H4z", "M4 16l5-5 4 4 3-2.500 4 3.500", "M15.500 8.500v.500"),
  video: line("M4 6.500h11v11H4z", "M15 10.500l5-3v9l-5-3z"),
  file: line("M6 3.500h8l4.500 4.500v12.500H6z", "M13.500 3.500V8.500h5"),
  music: line("M9 18V6l10-2v12", "M9 18a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0z", "M19 16a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0z"),
  sticker: line("M12 3.500h-1a7.500 7.500 0 0 0-7.500 7.500v2a7.500 7.500 0 0 0 7.500 7.500h1l8.500-8.500v-1A7.500 7.500 0 0 0 13 3.500z", "M12 20.500v-3a5 5 0 0 1 5-5h3.500"),
  pin: line("M12 21c4-4.500 6.500-7.800 6.500-11a6.500 6.500 0 0 0-13 0c0 3.200 2.500 6.500 6.500 11z", "M12 7.700a2.300 2.300 0 1 0 0 4.600 2.300 2.300 0 0 0 0-4.600z"),
  person: line("M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8z", "M4.500 20.500c.800-4 4-5.500 7.500-5.500s6.700 1.500 7.500 5.500"),
  people: line("M9 5a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7z", "M2.500 19c.600-3.500 3.400-4.800 6.500-4.800s5.900 1.300 6.500 4.800", "M15.500 5.300a3.400 3.400 0 0 1 0 6.500", "M17.500 14.500c2.300.500 3.700 2 4 4.500"),
  phone: line("M5.500 4h3.500l1.700 4.500-2.200 1.500a11 11 0 0 0 5.500 5.500l1.500-2.200 4.500 1.700v3.500c0 1-1 1.700-2 1.500C10.500 18.500 5.500 13.500 4 6c-.200-1 .500-2 1.500-2z"),
  link: line("M13 5h6v6", "M19 5l-8.500 8.500", "M17 14v5H5V7h5"),
  copy: line("M8.500 8.500h11v11h-11z", "M15.500 8.500v-4h-11v11h4"),
  list: line("M9 6.500h11", "M9 12h11", "M9 17.500h11", "M4.500 6.500h.500", "M4.500 12h.500", "M4.500 17.500h.500"),
  flow: line("M5 4h14v16H5z", "M8.500 8.500h7", "M8.500 12h7", "M8.500 15.500h4"),
  more: line("M12 5.500v.500", "M12 12v.500", "M12 18.500v.500"),
  trash: line("M4.500 7h15", "M9.500 7V4h5v3", "M6.500 7l1 13h9l1-13", "M10.300 11v5.500", "M13.700 11v5.500"),
  pencil: line("M4.500 19.500l1-4.500L16 4.500l3.500 3.500L9 18.500z"),
  search: line("M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13z", "M15.500 15.500l5 5"),
  download: line("M12 4v11", "M7 10.500l5 5 5-5", "M5 20h14"),
  upload: line("M12 16V5", "M7 9.500l5-5 5 5", "M5 20h14"),
  bolt: line("M13 3L5 13.500h6L10 21l8.500-11H12.500z"),
  template: line("M4 4.500h16v5H4z", "M4 13h9v7H4z", "M16.500 13h3.500v7h-3.500z"),
  sim: line("M6 3.500h8l4 4.500v12.500H6z", "M9 11.500h6v5.500H9z", "M12 11.500v5.500"),
  wire: line("M4 8h14", "M14.500 4.500L18 8l-3.500 3.500", "M20 16H6", "M9.500 12.500L6 16l3.500 3.500"),
  pause: line("M8.500 5.500v13", "M15.500 5.500v13"),
  play: { box: 24, fill: ["M8 5.200v13.600a.700.700 0 0 0 1.100.600l10.300-6.800a.700.700 0 0 0 0-1.200L9.100 4.600a.700.700 0 0 0-1.100.600z"] },
  block: line("M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17z", "M6 6l12 12"),
  globe: line("M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17z", "M3.500 12h17", "M12 3.500c3 2.500 3.500 5.500 3.500 8.500s-.500 6-3.500 8.500c-3-2.500-3.500-5.500-3.500-8.500s.500-6 3.500-8.500z"),
  again: line("M19.500 12a7.500 7.500 0 1 1-2.300-5.400", "M19.500 4v4.500H15"),
  check: line("M5 12.500l4.500 4.500L19 7"),
  forward: line("M14 7l5.500 5.500L14 18", "M19 12.500h-8.500c-3.500 0-6 2-6.500 5.500"),
  info: line("M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17z", "M12 11v5.500", "M12 7.700v.300"),
  send: { box: 24, fill: ["M3.600 20.200l17.600-7.300a1 1 0 0 0 0-1.800L3.600 3.800a.800.800 0 0 0-1.100.900L4.200 10.600 14 12l-9.800 1.400-1.700 5.900a.800.800 0 0 0 1.100.900z"] },
  clock: { box: 16, stroke: ["M8 1.800a6.200 6.200 0 1 0 0 12.400A6.200 6.200 0 1 0 8 1.800z", "M8 4.600V8l2.200 1.600"] },
  tick: { box: 18, stroke: ["M3.500 9.800l3.200 3.200 7.300-7.800"] },
  ticks: { box: 18, stroke: ["M1 9.800l3.200 3.200 7.300-7.800", "M8.300 12.600l.400.400L16 5.200"] },
  failed: { box: 18, fill: ["M9 1.800a7.200 7.200 0 1 0 0 14.400A7.200 7.200 0 1 0 9 1.800zM8.100 5h1.800l-.200 5H8.300zm.900 6.200a1 1 0 1 1 0 2 1 1 0 1 1 0-2z"] },
  lock: { box: 16, fill: ["M4.500 7V5.200a3.500 3.500 0 0 1 7 0V7h.500a1 1 0 0 1 1 1v5a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1zm1.400 0h4.200V5.200a2.100 2.100 0 0 0-4.200 0z"] },
  verified: { box: 18, fill: ["M9 1l2 1.700 2.600-.200.700 2.500 2.100 1.500L15.400 9l1 2.500-2.100 1.500-.700 2.500-2.600-.200L9 17l-2-1.700-2.600.200-.700-2.500-2.100-1.500L2.600 9l-1-2.500L3.700 5l.700-2.500 2.600.200zM8.200 12.200l4.400-4.600-1.100-1-3.300 3.500-1.700-1.700-1.100 1.100z"] },
  signal: { box: 16, fill: ["M1 11h2.400v3H1zM4.900 8.500h2.400V14H4.900zM8.700 5.500h2.400V14H8.700zM12.600 2.500H15V14h-2.400z"] },
  battery: { box: 20, fill: ["M2.500 5h13A1.500 1.500 0 0 1 17 6.500v7a1.500 1.500 0 0 1-1.500 1.500h-13A1.500 1.500 0 0 1 1 13.500v-7A1.500 1.500 0 0 1 2.500 5zm.300 1.600v6.800h10V6.600zM18 8.300h1.200v3.400H18z"] },
};

export function icon(name, label) {
  const shape = SHAPES[name];
  const svg = shaped("svg", { viewBox: `0 0 ${shape.box} ${shape.box}`, class: `icon icon-${name}` });
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else {
    svg.setAttribute("aria-hidden", "true");
  }
  for (const [paint, list] of [["fill", shape.fill ?? []], ["stroke", shape.stroke ?? []]]) {
    for (const d of list) svg.append(shaped("path", { d, class: paint, "fill-rule": "evenodd" }));
  }
  return svg;
}

// Makes an SVG element.
export function shaped(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// How far a message got, in WhatsApp's signs.
const TICKS = {
  accepted: ["clock", "accepted, not sent yet"],
  held: ["clock", "held for quality assessment"],
  sent: ["tick", "sent"],
  delivered: ["ticks", "delivered"],
  read: ["ticks", "read"],
  played: ["ticks", "played"],
  failed: ["failed", "failed"],
  dropped: ["failed", "dropped, its time ran out"],
};

export function ticks(status) {
  const [name, label] = TICKS[status] ?? ["clock", status];
  const svg = icon(name, label);
  svg.classList.add("ticks", `is-${status}`);
  const title = shaped("title");
  title.textContent = label;
  svg.prepend(title);
  return svg;
}
