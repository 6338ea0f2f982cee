// The page's own icons, built as elements: no markup from strings.

const SVG = "http://www.w3.org/2000/svg";

const SHAPES = {
  back: { box: 24, stroke: ["M15 5l-7 7 7 7"] },
  plus: { box: 24, stroke: ["M12 5v14", "M5 12h14"] },
  send: { box: 24, fill: ["M3.600 20.200l17.600-7.300a1 1 0 0 0 0-1.800L3.600 3.800a.800.800 0 0 0-1.100.900L4.200 10.600 14 12l-9.800 1.400-1.700 5.900a.800.800 0 0 0 1.100.900z"] },
  reply: { box: 24, stroke: ["M10 7L4.500 12.500 10 18", "M5 12.500h8.500c3.500 0 6 2 6.500 5.500"] },
  close: { box: 24, stroke: ["M6 6l12 12", "M18 6L6 18"] },
  down: { box: 24, stroke: ["M6 9l6 6 6-6"] },
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
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${shape.box} ${shape.box}`);
  svg.classList.add("icon", `icon-${name}`);
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else {
    svg.setAttribute("aria-hidden", "true");
  }
  for (const [paint, list] of [["fill", shape.fill ?? []], ["stroke", shape.stroke ?? []]]) {
    for (const d of list) {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("d", d);
      path.classList.add(paint);
      path.setAttribute("fill-rule", "evenodd");
      svg.append(path);
    }
  }
  return svg;
}

// How far a message got, in WhatsApp's signs.
const TICKS = {
  accepted: ["clock", "accepted, not sent yet"],
  sent: ["tick", "sent"],
  delivered: ["ticks", "delivered"],
  read: ["ticks", "read"],
  failed: ["failed", "failed"],
};

export function ticks(status) {
  const [name, label] = TICKS[status] ?? ["clock", status];
  const svg = icon(name, label);
  svg.classList.add("ticks", `is-${status}`);
  return svg;
}
