/** Draws the panels of a day with uPlot: the pair, the space between, gaps as dots, one cursor through all of them. */
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Reading } from "./live.ts";
import { clock, number } from "./numbers.ts";

/** null is a gap; undefined is a frame that was not about this point. */
type Series = (number | null | undefined)[];

interface Answer {
  t: number[];
  series: Record<string, Series>;
  modes: [number, number, string][];
}

interface Panel {
  point: string;
  should: string;
  factor: number;
  offset: number;
  digits: number;
  least: number;
  zero: boolean;
  tone: string;
  holder: HTMLElement;
  readout: HTMLElement;
  plot: uPlot;
}

const AGAIN_MS = 5 * 60_000;
const DAY_S = 86_400;
const TONES: Record<string, [line: string, wash: string]> = {
  heat: ["--heat-fill", "--heat-wash"],
  cool: ["--cool", "--cool-wash"],
  water: ["--water", "--water-wash"],
  fault: ["--fault", "--fault-wash"],
};

function colour(name: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function width(name: string): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue(name)) || 1;
}

async function load(host: HTMLElement, end: number): Promise<Answer> {
  const query = new URLSearchParams({
    points: host.getAttribute("points") ?? "",
    start: new Date((end - span(host)) * 1000).toISOString(),
    end: new Date(end * 1000).toISOString(),
    buckets: "400",
  });
  const answer = await fetch(`/charts/${host.getAttribute("equipment")}?${query}`, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`charts ${answer.status}`);
  return (await answer.json()) as Answer;
}

function span(host: HTMLElement): number {
  return Number(host.getAttribute("end")) - Number(host.getAttribute("start")) || DAY_S;
}

function range(panel: Pick<Panel, "least" | "zero">, low: number | null, high: number | null): [number, number] {
  let from = Math.min(low ?? 0, panel.zero ? 0 : (low ?? 0));
  let to = high ?? 1;
  if (to - from < panel.least) {
    const middle = (from + to) / 2;
    [from, to] = [middle - panel.least / 2, middle + panel.least / 2];
  }
  const air = (to - from) * 0.03;
  return [from - air, to + air];
}

/** The space between the lines, and dots where nothing was measured. */
function paintBetween(plot: uPlot, panel: Panel): void {
  const [times, should, is] = plot.data as [number[], Series, Series];
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  const place = (index: number, value: number): [number, number] => [
    plot.valToPos(times[index] ?? 0, "x", true),
    plot.valToPos(value, "y", true),
  ];
  const wash = TONES[panel.tone]?.[1];
  let run: number[] = [];
  const fill = (): void => {
    if (wash && run.length > 1) {
      ctx.fillStyle = colour(wash);
      ctx.beginPath();
      for (const i of run) ctx.lineTo(...place(i, is[i] as number));
      for (const i of run.toReversed()) ctx.lineTo(...place(i, should[i] as number));
      ctx.fill();
    }
    run = [];
  };
  times.forEach((_, i) => (is[i] != null && should[i] != null ? run.push(i) : fill()));
  fill();
  paintGaps(plot, times, is);
  ctx.restore();
}

function paintGaps(plot: uPlot, times: number[], is: Series): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.fillStyle = colour("--ink-3");
  let from = -1;
  is.forEach((value, i) => {
    if (value === null && from < 0) from = i;
    if ((typeof value === "number" || i === is.length - 1) && from >= 0) {
      const left = plot.valToPos(times[Math.max(0, from - 1)] ?? 0, "x", true);
      const right = plot.valToPos(times[i] ?? 0, "x", true);
      if (right - left > 4 * ratio) {
        for (let x = left + 3 * ratio; x < right - 1; x += 6 * ratio) {
          for (let y = bbox.top + 3 * ratio; y < bbox.top + bbox.height; y += 6 * ratio) ctx.fillRect(x, y, 1.5 * ratio, 1.5 * ratio);
        }
      }
      from = -1;
    }
  });
}

function paintGrid(plot: uPlot, marks: number[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = colour("--grid");
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  for (const mark of marks) {
    const x = Math.round(bbox.left + (bbox.width * mark) / 100);
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
  }
  ctx.stroke();
  ctx.restore();
}

/** A set point holds until its next reading; a short silence of a sensor is no gap. */
function mended(answer: Answer, point: string): Series {
  const values = answer.series[point] ?? [];
  const held = point.endsWith("setpoint");
  const gap = Math.max(900, ((answer.t.at(-1) ?? 0) - (answer.t[0] ?? 0)) / 96);
  const result: Series = [...values];
  let last = -1;
  values.forEach((value, i) => {
    if (value == null) {
      if (held && last >= 0) result[i] = values[last] ?? null;
      return;
    }
    if (!held && last >= 0 && i > last + 1 && (answer.t[i] ?? 0) - (answer.t[last] ?? 0) <= gap) {
      for (let k = last + 1; k < i; k++) result[k] = undefined;
    }
    last = i;
  });
  return result;
}

function columns(answer: Answer, panel: Pick<Panel, "point" | "should" | "factor" | "offset">): [number[], Series, Series] {
  const scale = (values: Series): Series =>
    answer.t.map((_, i) => {
      const value = values?.[i];
      return typeof value === "number" ? value * panel.factor + panel.offset : value === undefined && values.length > 0 ? undefined : null;
    });
  return [answer.t, scale(mended(answer, panel.should)), scale(mended(answer, panel.point))];
}

function build(host: HTMLElement, row: HTMLElement, answer: Answer, sync: string, marks: number[]): Panel {
  const data = row.dataset;
  const holder = row.querySelector<HTMLElement>(".plot") as HTMLElement;
  const readout = document.createElement("span");
  readout.className = "readout";
  readout.hidden = true;
  const panel = {
    point: data.panel ?? "",
    should: data.should ?? "",
    factor: Number(data.f),
    offset: Number(data.o),
    digits: Number(data.d),
    least: Number(data.least),
    zero: data.zero === "1",
    tone: data.tone ?? "",
    holder,
    readout,
  } as Panel;
  const options: uPlot.Options = {
    width: holder.clientWidth,
    height: holder.clientHeight,
    padding: [0, 0, 0, 0],
    legend: { show: false },
    axes: [{ show: false }, { show: false }],
    scales: {
      x: { time: true, range: () => [Number(host.getAttribute("start")), Number(host.getAttribute("end"))] },
      y: { range: (_plot, low, high) => range(panel, low, high) },
    },
    series: [
      {},
      { stroke: () => colour("--ink"), width: width("--should"), points: { show: false } },
      { stroke: () => colour(TONES[panel.tone]?.[0] ?? "--ink"), width: width("--is"), points: { show: false } },
    ],
    cursor: { sync: { key: sync }, y: false, points: { show: false }, drag: { x: false, y: false } },
    hooks: {
      drawClear: [
        (plot) => {
          paintGrid(plot, marks);
          paintBetween(plot, panel);
        },
      ],
      setCursor: [(plot) => read(plot, panel)],
    },
  };
  panel.plot = new uPlot(options, columns(answer, panel) as uPlot.AlignedData, holder);
  holder.append(readout);
  return panel;
}

function read(plot: uPlot, panel: Panel): void {
  const index = plot.cursor.idx;
  const value = index == null ? null : plot.data[2]?.[index];
  panel.readout.hidden = index == null || value == null;
  if (index == null || value == null) return;
  panel.readout.textContent = `${clock(plot.data[0][index] ?? 0)}  ${number(value, panel.digits)}`;
  const left = plot.cursor.left ?? 0;
  const flip = left > plot.width / 2;
  panel.readout.style.left = flip ? "" : `${left + 6}px`;
  panel.readout.style.right = flip ? `${plot.width - left + 6}px` : "";
}

/** Replaces the still drawings inside `host` and keeps them current; returns what ends it. */
export async function plotDay(host: HTMLElement): Promise<() => void> {
  let answer = await load(host, Number(host.getAttribute("end")));
  const marks = (host.getAttribute("marks") ?? "").split(" ").filter(Boolean).map(Number);
  const sync = `day-${host.getAttribute("equipment")}`;
  const rows = [...host.querySelectorAll<HTMLElement>("[data-panel]")];
  const panels = rows.map((row) => build(host, row, answer, sync, marks));
  for (const panel of panels) panel.holder.querySelector(":scope > svg")?.remove();

  const redraw = (): void => panels.forEach(({ plot }) => plot.redraw(false));
  const fit = new ResizeObserver(() =>
    panels.forEach(({ plot, holder }) => plot.setSize({ width: holder.clientWidth, height: holder.clientHeight })),
  );
  for (const panel of panels) fit.observe(panel.holder);
  const themes = new MutationObserver(redraw);
  themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", redraw);

  const show = (): void => panels.forEach((panel) => panel.plot.setData(columns(answer, panel) as uPlot.AlignedData));
  let due = 0;
  const onReading = (event: Event): void => {
    const reading = (event as CustomEvent<Reading>).detail;
    if (reading.equipment !== host.getAttribute("equipment") || reading.t <= (answer.t.at(-1) ?? 0)) return;
    answer.t.push(reading.t);
    for (const [point, values] of Object.entries(answer.series)) {
      const value = reading.values[point];
      // A set point is sent seldom and holds until the next one.
      values.push(typeof value === "number" ? value : point.endsWith("setpoint") ? (values.at(-1) ?? null) : undefined);
    }
    if (Date.now() < due) return;
    due = Date.now() + 1000;
    show();
  };
  addEventListener("ls:reading", onReading);
  const again = setInterval(async () => {
    if (document.hidden) return;
    const end = Date.now() / 1000;
    const fresh = await load(host, end).catch(() => undefined);
    if (!fresh) return;
    const length = span(host);
    host.setAttribute("start", String(end - length));
    host.setAttribute("end", String(end));
    answer = fresh;
    show();
  }, AGAIN_MS);

  return () => {
    clearInterval(again);
    removeEventListener("ls:reading", onReading);
    scheme.removeEventListener("change", redraw);
    themes.disconnect();
    fit.disconnect();
    panels.forEach(({ plot }) => plot.destroy());
  };
}
