/** The time axis and the lanes above the panels: modes, chosen states, what is wrong. Words are text over stretched drawings. */
import type { Answer, Fault, Stretch } from "./tracks.ts";

const NAMESPACE = "http://www.w3.org/2000/svg";

function svg(name: string, attributes: Record<string, string | number>, ...children: Element[]): SVGElement {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element as SVGElement;
}

function place(start: number, end: number, from: number, to: number): [x: number, width: number] | undefined {
  const length = to - from;
  const x = ((Math.max(start, from) - from) / length) * 1000;
  const width = ((Math.min(end, to) - Math.max(start, from)) / length) * 1000;
  if (width < 0 || start > to || end < from) return undefined;
  return [x, Math.max(width, 1.5)];
}

function row(name: string, tone: string, drawn: Element[], words: Element[], kind: string): HTMLElement {
  const element = document.createElement("div");
  element.className = `day-row lane ${kind}`;
  const label = document.createElement("span");
  label.className = "name";
  label.textContent = name;
  const stretched = svg("svg", { viewBox: "0 0 1000 10", preserveAspectRatio: "none", width: "100%", height: "100%" }, ...drawn);
  const plot = svg("svg", { class: `plot ${tone}`, "aria-hidden": "true" }, stretched, ...words);
  element.append(label, plot, document.createElement("span"));
  return element;
}

interface Placed {
  x: number;
  width: number;
  text: string;
  tone: string;
}

/** Words where there is room for them: at about 7 px a letter. */
function wordsIn(placed: Placed[], px: number, inside: boolean): Element[] {
  return placed.flatMap((band, i) => {
    const room = inside ? band.width : (placed[i + 1]?.x ?? 1000) - band.x - (band.width < 60 ? band.width : 0);
    if ((room / 1000) * px < band.text.length * 7 + 8) return [];
    const beside = (band.width / 1000) * px < band.text.length * 7 + 8;
    const text = svg("text", { x: `${(beside ? band.x + band.width : band.x) / 10}%`, dx: 4, y: 13 });
    text.textContent = band.text;
    return [text];
  });
}

function placed(stretches: Stretch[], from: number, to: number): Placed[] {
  return stretches.flatMap(([start, end, , text, tone]) => {
    const at = place(start, end, from, to);
    return at ? [{ x: at[0], width: at[1], text, tone }] : [];
  });
}

function rects(bands: Placed[]): Element[] {
  return bands.map((band) => svg("rect", { x: band.x.toFixed(1), width: band.width.toFixed(1), height: 10, class: band.tone }));
}

function modeLanes(answer: Answer, from: number, to: number): HTMLElement[] {
  const lanes = new Map<string, { name: string; tone: string; spent: number; bands: Placed[] }>();
  for (const [start, end, word, text, tone] of answer.modes) {
    if (word === "off" || word === "idle") continue;
    const at = place(start, end, from, to);
    if (!at) continue;
    const lane = lanes.get(word) ?? { name: text, tone, spent: 0, bands: [] };
    lane.bands.push({ x: at[0], width: at[1], text: "", tone: "" });
    lane.spent += at[1];
    lanes.set(word, lane);
  }
  return [...lanes.values()].sort((a, b) => b.spent - a.spent).map((lane) => row(lane.name, lane.tone, rects(lane.bands), [], "mode"));
}

function stateLanes(answer: Answer, from: number, to: number, px: number): HTMLElement[] {
  return answer.lanes.map((lane) => {
    const bands = placed(lane.stretches.filter(([, , word]) => !answer.resting.includes(word)), from, to);
    return row(lane.name, "", rects(bands), wordsIn(bands, px, true), "state-lane");
  });
}

function faultLane(faults: Fault[], from: number, to: number, px: number, name: string): HTMLElement[] {
  const bands = faults.flatMap(([start, end, text, mild]) => {
    const at = place(start, end, from, to);
    return at ? [{ x: at[0], width: at[1], text, tone: mild ? "warn" : "fault" }] : [];
  });
  return bands.length > 0 ? [row(name, "", rects(bands), wordsIn(bands, px, false), "faults")] : [];
}

export function drawLanes(holder: HTMLElement, answer: Answer, from: number, to: number, px: number, faultName: string): void {
  holder.replaceChildren(
    ...faultLane(answer.faults, from, to, px, faultName),
    ...modeLanes(answer, from, to),
    ...stateLanes(answer, from, to, px),
  );
}

/** Ticks that fit beside each other, those that begin a day first; returns their places in percent. */
export function drawAxis(axis: SVGElement, answer: Answer, from: number, to: number, px: number): number[] {
  const inside = answer.ticks
    .map(([t, text, major]) => ({ at: ((t - from) / (to - from)) * 100, text, major }))
    .filter(({ at }) => at >= 0 && at <= 100);
  const taken: [number, number][] = [];
  const fits = ({ at, text }: { at: number; text: string }): boolean => {
    const half = text.length * 3.4 + 5;
    const x = (at / 100) * px;
    if (x < half - 6 || x > px - half + 6 || taken.some(([a, b]) => x + half > a && x - half < b)) return false;
    taken.push([x - half, x + half]);
    return true;
  };
  const shown = [...inside.filter((tick) => tick.major), ...inside.filter((tick) => !tick.major)].filter(fits);
  axis.replaceChildren(
    ...shown.map((tick) => {
      const text = svg("text", { x: `${tick.at.toFixed(2)}%`, y: 12, "text-anchor": "middle", class: tick.major ? "major" : "" });
      text.textContent = tick.text;
      return text;
    }),
  );
  return inside.map((tick) => tick.at);
}

/** The word of the stretch at a time. */
export function wordAt(stretches: Stretch[], t: number): string {
  return stretches.findLast(([start, end]) => start <= t && t <= end)?.[3] ?? "";
}

export function faultAt(faults: Fault[], t: number): string {
  return faults.findLast(([start, end]) => start <= t && t <= end)?.[2] ?? "";
}
