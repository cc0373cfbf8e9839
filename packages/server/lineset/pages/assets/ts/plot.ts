/** One panel of a chart, drawn by uPlot: the pair, the space between, gaps as dots, faults as a band, the earlier stretch as a ghost. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { number } from "./numbers.ts";
import { columns, gapsOf, holding, type Answer, type Lines, type Ruler, linesOf, nearest } from "./tracks.ts";

const TONES: Record<string, [line: string, wash: string]> = {
  heat: ["--heat-fill", "--heat-wash"],
  cool: ["--cool", "--cool-wash"],
  water: ["--water", "--water-wash"],
  fault: ["--fault", "--fault-wash"],
};

const STEPPED = uPlot.paths.stepped?.({ align: 1 });
const colours = new Map<string, string>();

/** The colour that a token has now; remembered until the theme changes. */
export function colour(name: string): string {
  const before = colours.get(name);
  if (before) return before;
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  colours.set(name, value);
  return value;
}

export function forgetColours(): void {
  colours.clear();
}

function width(name: string): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue(name)) || 1;
}

const FINE = 1; // px, of a line that is crowded
const TURN_PX = 5; // a turn in fewer pixels than this makes it so

/** What all panels of a chart share. */
export interface Frame {
  start: number;
  end: number;
  /** Places of the ticks in percent. */
  marks: number[];
  answer: Answer;
}

export class Panel implements Ruler {
  readonly point: string;
  readonly should: string;
  readonly factor: number;
  readonly offset: number;
  readonly digits: number;
  readonly symbol: string;
  readonly name: string;
  readonly note: string;
  readonly tone: string;
  readonly holder: HTMLElement;
  readonly #least: number;
  readonly #zero: boolean;
  readonly #frame: Frame;
  readonly #top: HTMLElement | null;
  readonly #bottom: HTMLElement | null;
  readonly #last: HTMLElement | null;
  readonly #lastShould: HTMLElement | null;
  readonly #readout = document.createElement("span");
  #extent: [number, number] = [0, 1];
  lines: Lines;
  plot: uPlot;

  constructor(row: HTMLElement, frame: Frame) {
    const data = row.dataset;
    this.point = data.panel ?? "";
    this.should = data.should ?? "";
    this.factor = Number(data.f);
    this.offset = Number(data.o);
    this.digits = Number(data.d);
    this.symbol = data.unit ?? "";
    this.tone = data.tone ?? "";
    this.#least = Number(data.least);
    this.#zero = data.zero === "1";
    this.#frame = frame;
    this.name = data.name ?? "";
    this.note = row.querySelector(".name small")?.textContent ?? "";
    this.holder = row.querySelector<HTMLElement>(".plot") as HTMLElement;
    this.#top = row.querySelector(".y.top");
    this.#bottom = row.querySelector(".y.bottom");
    this.#last = row.querySelector(".last b");
    this.#lastShould = row.querySelector(".last small b");
    this.#readout.className = "readout";
    this.#readout.hidden = true;
    this.lines = linesOf(frame.answer, this);
    this.plot = new uPlot(this.#options(), this.#columns(), this.holder);
    this.holder.querySelector(":scope > svg")?.remove();
    this.holder.append(this.#readout);
  }

  #columns(): uPlot.AlignedData {
    return columns(this.lines, this.#frame.start, Math.min(this.#frame.end, this.#frame.answer.end));
  }

  #options(): uPlot.Options {
    return {
      width: this.holder.clientWidth,
      height: this.holder.clientHeight,
      padding: [0, 0, 0, 0],
      legend: { show: false },
      axes: [{ show: false }, { show: false }],
      scales: {
        x: { time: true, range: () => [this.#frame.start, this.#frame.end] },
        y: { range: (_plot, low, high) => this.#range(low, high) },
      },
      series: [
        {},
        { stroke: () => colour("--ink-2"), width: 1.25, dash: [5, 4], points: { show: false } },
        { stroke: () => colour("--ink"), width: width("--should"), points: { show: false }, ...(STEPPED ? { paths: STEPPED } : {}) },
        { stroke: () => colour(TONES[this.tone]?.[0] ?? "--ink"), width: width("--is"), points: { show: (p, i) => this.#lonely(p, i), size: 4 } },
      ],
      cursor: { show: false },
      hooks: {
        drawClear: [
          (plot) => {
            const line = plot.series[3];
            if (line) line.width = this.#crowded() ? FINE : width("--is");
            this.#paintFaults(plot);
            this.#paintGrid(plot);
            this.#paintBetween(plot);
            this.#paintGaps(plot);
          },
        ],
        draw: [() => this.#label()],
      },
    };
  }

  /** Whether the line turns so often that a thick one would hide what is between its peaks. */
  #crowded(): boolean {
    const { t, v } = this.lines.is;
    let turns = 0;
    let rising = 0;
    for (let i = 1; i < v.length; i += 1) {
      const at = t[i] ?? 0;
      if (at < this.#frame.start || at > this.#frame.end) continue;
      const step = Math.sign((v[i] ?? 0) - (v[i - 1] ?? 0));
      if (step !== 0 && step !== rising) {
        turns += 1;
        rising = step;
      }
    }
    return turns > this.holder.clientWidth / TURN_PX;
  }

  /** Dots only where so little was read that a line could not be seen. */
  #lonely(plot: uPlot, series: number): boolean {
    return series === 3 && (plot.data[3]?.length ?? 0) < 3;
  }

  #range(low: number | null, high: number | null): [number, number] {
    let from = Math.min(low ?? 0, this.#zero ? 0 : (low ?? 0));
    let to = high ?? 1;
    if (to - from < this.#least) {
      const middle = (from + to) / 2;
      [from, to] = this.#zero && from === 0 ? [0, this.#least] : [middle - this.#least / 2, middle + this.#least / 2];
    }
    this.#extent = [from, to];
    const air = (to - from) * 0.03;
    return [from - air, to + air];
  }

  /** Draw what the frame holds now; `anew` when its numbers have changed, else only its stretch of time. */
  show(anew: boolean): void {
    if (anew) this.lines = linesOf(this.#frame.answer, this);
    if (anew) this.plot.setData(this.#columns(), true);
    else this.plot.setScale("x", { min: this.#frame.start, max: this.#frame.end });
  }

  redraw(): void {
    this.plot.redraw(false);
  }

  fit(): void {
    this.plot.setSize({ width: this.holder.clientWidth, height: this.holder.clientHeight });
  }

  /** Lowest and highest of the scale, the last value in sight and what it should be. */
  #label(): void {
    const [low, high] = this.#extent;
    const digits = Math.min(this.digits, high - low >= 4 ? 0 : 1);
    const some = this.lines.is.v.length + this.lines.before.v.length + this.lines.should.v.length > 0;
    if (this.#top) this.#top.textContent = some ? number(high, digits) : "";
    if (this.#bottom) this.#bottom.textContent = some ? number(low, digits) : "";
    const last = this.lines.is.v.at(-1);
    if (this.#last) this.#last.textContent = last === undefined ? "" : number(last, this.digits);
    const should = this.lines.should.v.at(-1);
    if (this.#lastShould && should !== undefined) this.#lastShould.textContent = number(should, this.digits);
  }

  /** The labels of the scale and the last value, for a picture. */
  words(): { top: string; bottom: string; last: string; should: string } {
    return {
      top: this.#top?.textContent ?? "",
      bottom: this.#bottom?.textContent ?? "",
      last: this.#last?.textContent ?? "",
      should: this.#lastShould?.parentElement?.textContent ?? "",
    };
  }

  /** The values at a time in words, and what to say of them; empty where nothing was read. */
  at(t: number): { short: string; long: string } {
    const { start, end } = this.#frame;
    const reach = Math.max(this.lines.gap / 2, (end - start) / 150);
    const is = nearest(this.lines.is, t, reach);
    const before = nearest(this.lines.before, t, reach);
    const should = this.should ? holding(this.lines.should, t) : undefined;
    const values = [is, before].map((value) => (value === undefined ? "" : number(value, this.digits)));
    const short = [values[0] ?? "", values[1] ? `(${values[1]})` : ""].filter(Boolean).join(" ");
    const long = [
      values[0] ? `${this.name} ${values[0]} ${this.symbol}` : "",
      values[0] && should !== undefined ? `/ ${number(should, this.digits)}` : "",
      values[1] ? `(${this.#frame.answer.compared} ${values[1]})` : "",
    ];
    return { short, long: long.filter(Boolean).join(" ") };
  }

  /** Shows the values at a place of the cursor, or nothing. */
  read(left: number | undefined, t: number): string {
    const found = left === undefined ? { short: "", long: "" } : this.at(t);
    this.#readout.hidden = found.short === "";
    if (left === undefined || !found.short) return found.long;
    this.#readout.textContent = found.short;
    const flip = left > this.holder.clientWidth / 2;
    this.#readout.style.left = flip ? "" : `${left + 6}px`;
    this.#readout.style.right = flip ? `${this.holder.clientWidth - left + 6}px` : "";
    return found.long;
  }

  #paintFaults(plot: uPlot): void {
    const { ctx, bbox } = plot;
    ctx.save();
    for (const [start, end, , mild] of this.#frame.answer.faults) {
      if (end < this.#frame.start || start > this.#frame.end) continue;
      const left = plot.valToPos(Math.max(start, this.#frame.start), "x", true);
      const right = Math.max(left + devicePixelRatio, plot.valToPos(Math.min(end, this.#frame.end), "x", true));
      ctx.fillStyle = colour("--fault-wash");
      if (!mild) ctx.fillRect(left, bbox.top, right - left, bbox.height);
      ctx.strokeStyle = colour("--fault");
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      for (const x of start > this.#frame.start ? [left] : []) {
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
      }
      ctx.stroke();
    }
    ctx.restore();
  }

  #paintGrid({ ctx, bbox }: uPlot): void {
    ctx.save();
    ctx.strokeStyle = colour("--grid");
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    for (const mark of this.#frame.marks) {
      const x = Math.round(bbox.left + (bbox.width * mark) / 100);
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
    }
    ctx.stroke();
    ctx.restore();
  }

  /** The space between the lines. */
  #paintBetween(plot: uPlot): void {
    const wash = TONES[this.tone]?.[1];
    const { is, should, gap } = this.lines;
    if (!wash || should.t.length === 0) return;
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = colour(wash);
    let run: [x: number, y: number, level: number][] = [];
    const fill = (): void => {
      if (run.length > 1) {
        ctx.beginPath();
        for (const [x, y] of run) ctx.lineTo(x, y);
        for (const [x, , level] of run.toReversed()) ctx.lineTo(x, level);
        ctx.fill();
      }
      run = [];
    };
    let place = -1;
    is.t.forEach((t, i) => {
      while (place + 1 < should.t.length && (should.t[place + 1] as number) <= t) place++;
      if (i > 0 && t - (is.t[i - 1] as number) > gap) fill();
      const level = should.v[Math.max(0, place)] as number;
      run.push([plot.valToPos(t, "x", true), plot.valToPos(is.v[i] as number, "y", true), plot.valToPos(level, "y", true)]);
    });
    fill();
    ctx.restore();
  }

  /** Dots where nothing was measured. */
  #paintGaps(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    const { start, end, answer } = this.#frame;
    ctx.save();
    ctx.fillStyle = colour("--ink-3");
    for (const [from, to] of gapsOf(this.lines, Math.max(start, answer.start), Math.min(end, answer.end))) {
      const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
      const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, "x", true));
      for (let x = left + 3 * ratio; right - left > 4 * ratio && x < right - 1; x += 6 * ratio) {
        for (let y = bbox.top + 3 * ratio; y < bbox.top + bbox.height; y += 6 * ratio) ctx.fillRect(x, y, 1.5 * ratio, 1.5 * ratio);
      }
    }
    ctx.restore();
  }
}
