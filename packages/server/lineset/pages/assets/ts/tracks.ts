/** The numbers of a chart as the server answers them, and how they become columns to draw: gaps kept, set points held. */
import uPlot from "uplot";
import type { Reading } from "./live.ts";

export type Stretch = [start: number, end: number, word: string, text: string, tone: string];
export type Fault = [start: number, end: number, text: string, mild: boolean];
export type Tick = [t: number, text: string, major: boolean];

export interface Block {
  t: number[];
  series: Record<string, (number | null)[]>;
}

export interface Answer {
  start: number;
  end: number;
  now: number;
  span: string;
  query: string;
  title: string;
  say: string;
  start_field: string;
  end_field: string;
  ticks: Tick[];
  blocks: Block[];
  before: Block[];
  compared: string;
  gaps: Record<string, number>;
  modes: Stretch[];
  lanes: { point: string; name: string; stretches: Stretch[] }[];
  faults: Fault[];
  empty: boolean;
  tones: Record<string, string>;
  resting: string[];
  wrong: Record<string, Record<string, [text: string, mild: boolean]>>;
}

/** Readings without holes, oldest first. */
export interface Trace {
  t: number[];
  v: number[];
}

export interface Ruler {
  point: string;
  should: string;
  factor: number;
  offset: number;
}

const LEAST_GAP_S = 60;

function known(blocks: Block[], point: string, ruler: Ruler): Trace {
  const trace: Trace = { t: [], v: [] };
  for (const block of blocks) {
    block.series[point]?.forEach((value, i) => {
      if (value === null) return;
      trace.t.push(block.t[i] as number);
      trace.v.push(value * ruler.factor + ruler.offset);
    });
  }
  return trace;
}

/** The lines of one panel: what is, what should be, what was in the earlier stretch. */
export interface Lines {
  is: Trace;
  should: Trace;
  before: Trace;
  gap: number;
}

export function linesOf(answer: Answer, ruler: Ruler): Lines {
  return {
    is: known(answer.blocks, ruler.point, ruler),
    should: ruler.should ? known(answer.blocks, ruler.should, ruler) : { t: [], v: [] },
    before: known(answer.before, ruler.point, ruler),
    gap: answer.gaps[ruler.point] ?? LEAST_GAP_S,
  };
}

/** Where nothing was read for longer than a gap, from `start` to `end`. */
export function gapsOf({ is, gap }: Lines, start: number, end: number): [from: number, to: number][] {
  const found: [number, number][] = [];
  let last = start;
  for (const t of is.t) {
    if (t - last > gap) found.push([last, t]);
    last = Math.max(last, t);
  }
  if (end - last > gap) found.push([last, end]);
  return found.filter(([from, to]) => to > start && from < end);
}

function broken(trace: Trace, gap: number): [number[], (number | null)[]] {
  const t: number[] = [];
  const v: (number | null)[] = [];
  trace.t.forEach((moment, i) => {
    const last = trace.t[i - 1];
    if (last !== undefined && moment - last > gap) {
      t.push((last + moment) / 2);
      v.push(null);
    }
    t.push(moment);
    v.push(trace.v[i] as number);
  });
  return [t, v];
}

/** A set point holds until it changes, and its last one until `end`: only where it changes it needs a point. */
function held(trace: Trace, end: number): [number[], (number | null)[]] {
  const last = trace.t.length - 1;
  const kept = trace.t.flatMap((_, i) => (i === 0 || i === last || trace.v[i] !== trace.v[i - 1] ? [i] : []));
  const t = kept.map((i) => trace.t[i] as number);
  const v = kept.map((i) => trace.v[i] as number);
  if (last < 0 || end <= (trace.t[last] as number)) return [t, v];
  return [[...t, end], [...v, trace.v[last] as number]];
}

/** Columns on one axis as uPlot takes them: time, before, should, is. Undefined is a time that is not this line's. */
export function columns(lines: Lines, start: number, end: number): uPlot.AlignedData {
  const frame: [number[], null[]] = [[start, end], [null, null]];
  const tables = [broken(lines.before, lines.gap), held(lines.should, end), broken(lines.is, lines.gap)];
  const filled = tables.map((table) => (table[0].length > 0 ? table : frame));
  return uPlot.join(filled as uPlot.AlignedData[]);
}

/** The reading nearest to `t`, as far as it belongs there. */
export function nearest(trace: Trace, t: number, reach: number): number | undefined {
  let low = 0;
  let high = trace.t.length - 1;
  if (high < 0) return undefined;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((trace.t[middle] as number) <= t) low = middle;
    else high = middle;
  }
  const best = Math.abs((trace.t[low] as number) - t) <= Math.abs((trace.t[high] as number) - t) ? low : high;
  return Math.abs((trace.t[best] as number) - t) <= reach ? trace.v[best] : undefined;
}

/** The value that holds at `t`. */
export function holding(trace: Trace, t: number): number | undefined {
  const after = trace.t.findIndex((moment) => moment > t);
  return after < 0 ? trace.v.at(-1) : trace.v[after - 1];
}

const STATE_GAP_S = 600;

function prolong<S extends [number, number, ...unknown[]]>(stretches: S[], t: number, same: (s: S) => boolean, made: () => S | undefined): void {
  const last = stretches.at(-1);
  const near = last !== undefined && t - last[1] <= STATE_GAP_S;
  if (last && near) last[1] = Math.max(last[1], t);
  if (last && near && same(last)) return;
  const next = made();
  if (next) stretches.push(next);
}

/** Takes in a live reading of the machine; false when it is older than what is there. */
export function take(answer: Answer, reading: Reading, words: (code: string) => string): boolean {
  const own = answer.blocks[0];
  if (!own || reading.t <= (own.t.at(-1) ?? 0)) return false;
  own.t.push(reading.t);
  for (const [point, values] of Object.entries(own.series)) {
    const value = reading.values[point];
    values.push(typeof value === "number" ? value : null);
  }
  for (const block of answer.blocks.slice(1)) {
    const fresh = Object.keys(block.series).some((point) => typeof reading.values[point] === "number");
    if (!fresh) continue;
    block.t.push(reading.t);
    for (const [point, values] of Object.entries(block.series)) {
      const value = reading.values[point];
      values.push(typeof value === "number" ? value : null);
    }
  }
  const mode = reading.values.operating_mode;
  if (typeof mode === "string") {
    prolong(answer.modes, reading.t, (s) => s[2] === mode, () => [reading.t, reading.t, mode, words(mode), answer.tones[mode] ?? ""]);
  }
  for (const lane of answer.lanes) {
    const word = reading.values[lane.point];
    if (typeof word !== "string") continue;
    prolong(lane.stretches, reading.t, (s) => s[2] === word, () => [reading.t, reading.t, word, words(word), answer.tones[word] ?? ""]);
  }
  judge(answer, reading);
  if (Object.keys(own.series).some((point) => typeof reading.values[point] === "number")) answer.empty = false;
  return true;
}

/** Begins, prolongs or ends the newest fault by what a live reading says. */
function judge(answer: Answer, reading: Reading): void {
  const said: [string, boolean][] = [];
  let spoken = false;
  for (const [point, words] of Object.entries(answer.wrong)) {
    const value = reading.values[point];
    if (value === undefined) continue;
    spoken = true;
    if (typeof value === "string" && words[value]) said.push(words[value]);
    if (typeof value === "number" && value !== 0 && words["{n}"]) said.unshift([words["{n}"][0].replace("{n}", String(value)), false]);
  }
  if (!spoken) return;
  const last = answer.faults.at(-1);
  const open = last !== undefined && reading.t - last[1] <= LEAST_GAP_S;
  if (said.length === 0) return;
  const [text, mild] = said[0] as [string, boolean];
  if (open && last[2].includes(text)) last[1] = reading.t;
  else answer.faults.push([open ? last[1] : reading.t, reading.t, text, mild]);
}
