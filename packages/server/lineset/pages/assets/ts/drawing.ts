/** A whole chart: axis, lanes, panels, the cursor through all of them, and the live edge. Knows nothing of addresses. */
import { drawAxis, drawLanes, faultAt, wordAt } from "./lanes.ts";
import type { Reading } from "./live.ts";
import { clock, moment } from "./numbers.ts";
import { forgetColours, type Frame, Panel } from "./plot.ts";
import { type Answer, take } from "./tracks.ts";

const LEAST_S = 300;

function element(name: string, kind: string): HTMLElement {
  const made = document.createElement(name);
  made.className = kind;
  return made;
}

export class Drawing {
  readonly host: HTMLElement;
  readonly over = element("div", "day-over");
  readonly panels: Panel[];
  readonly words: Record<string, string>;
  readonly #frame: Frame;
  readonly #line = element("div", "day-cursor");
  readonly #time = element("span", "day-time");
  readonly #mark = element("div", "day-mark");
  readonly #axis: SVGElement;
  readonly #lanes: HTMLElement;
  readonly #longest: number;
  readonly #ends: (() => void)[] = [];
  #cursor: number | undefined;
  #due = 0;

  constructor(host: HTMLElement, answer: Answer) {
    this.host = host;
    this.words = JSON.parse(host.getAttribute("words") ?? "{}") as Record<string, string>;
    this.#longest = Number(host.getAttribute("longest")) || 400 * 86_400;
    this.#frame = { start: answer.start, end: answer.end, marks: [], answer };
    this.#axis = host.querySelector(".axis svg") as SVGElement;
    this.#lanes = host.querySelector(".day-lanes") as HTMLElement;
    this.over.append(this.#mark, this.#line, this.#time);
    this.over.tabIndex = 0;
    this.over.setAttribute("role", "slider");
    this.over.setAttribute("aria-label", this.words.cursor ?? "");
    this.panels = [...host.querySelectorAll<HTMLElement>("[data-panel]")].map((row) => new Panel(row, this.#frame));
    host.append(this.over);
    host.closest("[data-chart]")?.querySelector("[data-nothing]")?.toggleAttribute("hidden", !answer.empty);
    this.#around();
    this.#watch();
    this.point();
  }

  get answer(): Answer {
    return this.#frame.answer;
  }

  span(): [number, number] {
    return [this.#frame.start, this.#frame.end];
  }

  width(): number {
    return this.over.clientWidth || 1;
  }

  timeAt(px: number): number {
    const [start, end] = this.span();
    return start + (Math.max(0, Math.min(this.width(), px)) / this.width()) * (end - start);
  }

  cursor(): number | undefined {
    return this.#cursor;
  }

  /** Axis and lanes, and where the ticks are. */
  #around(): void {
    const { start, end, answer } = this.#frame;
    this.#frame.marks = drawAxis(this.#axis, answer, start, end, this.width());
    drawLanes(this.#lanes, answer, start, end, this.width(), this.words.faults ?? "");
  }

  /** New numbers. */
  show(answer: Answer): void {
    Object.assign(this.#frame, { answer, start: answer.start, end: answer.end });
    this.#around();
    for (const panel of this.panels) panel.show(true);
    this.host.setAttribute("aria-label", answer.say);
    this.#again();
  }

  /** Another stretch of the numbers that are here already, at least five minutes, at most until now. */
  preview(start: number, end: number): void {
    const now = Date.now() / 1000;
    const length = Math.min(this.#longest, Math.max(LEAST_S, end - start));
    const middle = (start + end) / 2;
    let to = length === end - start ? end : middle + length / 2;
    if (to > now) to = now;
    Object.assign(this.#frame, { start: to - length, end: to });
    this.#around();
    for (const panel of this.panels) panel.show(false);
    this.#again();
  }

  mark(from?: number, to?: number): void {
    this.#mark.hidden = from === undefined || to === undefined;
    if (from === undefined || to === undefined) return;
    const [start, end] = this.span();
    this.#mark.style.left = `${((from - start) / (end - start)) * this.width()}px`;
    this.#mark.style.width = `${((to - from) / (end - start)) * this.width()}px`;
  }

  /** Put the cursor at a time, or take it away; what it says goes to the eye and to a screen reader. */
  point(t?: number): void {
    const [start, end] = this.span();
    const here = t !== undefined && t >= start && t <= end ? t : undefined;
    this.#cursor = here;
    this.#line.hidden = this.#time.hidden = here === undefined;
    const left = here === undefined ? undefined : ((here - start) / (end - start)) * this.width();
    const values = this.panels.map((panel) => panel.read(left, here ?? 0));
    this.over.setAttribute("aria-valuemin", String(Math.round(start)));
    this.over.setAttribute("aria-valuemax", String(Math.round(end)));
    this.over.setAttribute("aria-valuenow", String(Math.round(here ?? end)));
    if (here === undefined || left === undefined) {
      this.over.setAttribute("aria-valuetext", this.words.none ?? "");
      return;
    }
    const mode = [wordAt(this.answer.modes, here), ...this.answer.lanes.map(({ name, stretches }) => [name, wordAt(stretches, here)])];
    const states = mode.map((word) => (typeof word === "string" ? word : word[1] ? word.join(": ") : ""));
    const said = [...states, faultAt(this.answer.faults, here)].filter(Boolean);
    const when = end - start > 86_400 ? moment(here) : clock(here, end - start < 3600);
    this.#line.style.left = `${left}px`;
    this.#time.textContent = [when, ...said].join(", ");
    const half = this.#time.offsetWidth / 2;
    this.#time.style.left = `${Math.max(half, Math.min(this.width() - half, left))}px`;
    const read = values.filter(Boolean);
    this.over.setAttribute("aria-valuetext", [moment(here), ...(read.length > 0 ? read : [this.words.noread ?? ""]), ...said].join(". "));
  }

  #again(): void {
    this.point(this.#cursor);
  }

  /** A live reading; the edge moves with it while the chart ends now. */
  take(reading: Reading, words: (code: string) => string): void {
    const answer = this.answer;
    if (reading.equipment !== this.host.getAttribute("equipment") || !answer.span) return;
    const length = answer.end - answer.start;
    const atEdge = Math.abs(this.#frame.end - answer.end) < 1;
    const before = this.#stretches();
    if (!take(answer, reading, words)) return;
    const news = this.#stretches() !== before;
    const now = Math.max(answer.end, Math.min(reading.t, Date.now() / 1000));
    Object.assign(answer, { end: now, start: now - length });
    if (!atEdge || (!news && Date.now() < this.#due)) return;
    this.#due = Date.now() + Math.max(500, length / 2);
    Object.assign(this.#frame, { start: answer.start, end: answer.end });
    this.#around();
    for (const panel of this.panels) panel.show(true);
    this.#again();
  }

  /** How many stretches of modes, states and faults there are: another one is news that does not wait. */
  #stretches(): number {
    const { modes, lanes, faults } = this.answer;
    return modes.length + faults.length + lanes.reduce((sum, lane) => sum + lane.stretches.length, 0);
  }

  #watch(): void {
    const fit = new ResizeObserver(() => {
      this.#around();
      for (const panel of this.panels) panel.fit();
      this.#again();
    });
    fit.observe(this.host);
    const redraw = (): void => {
      forgetColours();
      for (const panel of this.panels) panel.redraw();
    };
    const themes = new MutationObserver(redraw);
    themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", redraw);
    this.#ends.push(
      () => fit.disconnect(),
      () => themes.disconnect(),
      () => scheme.removeEventListener("change", redraw),
    );
  }

  destroy(): void {
    for (const end of this.#ends) end();
    for (const panel of this.panels) panel.plot.destroy();
    this.over.remove();
  }
}
