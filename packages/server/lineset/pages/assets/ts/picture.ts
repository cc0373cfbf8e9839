/** A picture of a chart as it stands: title, axis, lanes, panels with their labels, as one PNG. */
import type { Drawing } from "./drawing.ts";
import { colour, type Panel } from "./plot.ts";

// As sharp as the plots themselves are.
const SCALE = Math.max(1, devicePixelRatio);
const LEFT = 150;
const RIGHT = 96;
const MARGIN = 24;
const FONT = "Archivo Variable, Helvetica Neue, Liberation Sans, Arial, sans-serif";

class Paper {
  readonly canvas = document.createElement("canvas");
  readonly ctx: CanvasRenderingContext2D;

  constructor(width: number, height: number) {
    this.canvas.width = width * SCALE;
    this.canvas.height = height * SCALE;
    this.ctx = this.canvas.getContext("2d") as CanvasRenderingContext2D;
    this.ctx.scale(SCALE, SCALE);
    this.ctx.fillStyle = colour("--ground");
    this.ctx.fillRect(0, 0, width, height);
  }

  /** Words in lines of at most `width` px. */
  wrapped(words: string, width: number, size: number): string[] {
    this.ctx.font = `400 ${size}px ${FONT}`;
    return words.split(" ").reduce<string[]>((lines, word) => {
      const longer = [lines.at(-1), word].filter(Boolean).join(" ");
      if (lines.length > 0 && this.ctx.measureText(longer).width <= width) lines[lines.length - 1] = longer;
      else lines.push(word);
      return lines;
    }, []);
  }

  text(words: string, x: number, y: number, size: number, tone = "--ink", align: CanvasTextAlign = "left", weight = 400): void {
    this.ctx.font = `${weight} ${size}px ${FONT}`;
    this.ctx.textAlign = align;
    this.ctx.fillStyle = colour(tone);
    this.ctx.fillText(words, x, y);
  }
}

/** Draws `drawing` on paper; the head names the machine, the site and the stretch of time. */
function paint(drawing: Drawing, head: string[]): HTMLCanvasElement {
  const width = drawing.width();
  const lanes = [...drawing.host.querySelectorAll<HTMLElement>(".day-row.lane")];
  const heights = drawing.panels.map((panel) => panel.holder.clientHeight + 14);
  const top = MARGIN + 56;
  const height = top + 22 + lanes.length * 22 + heights.reduce((sum, h) => sum + h, 0) + MARGIN;
  const paper = new Paper(LEFT + width + RIGHT + MARGIN, height);
  paper.text(head[0] ?? "", MARGIN, MARGIN + 14, 20, "--ink", "left", 640);
  paper.text(head.slice(1).filter(Boolean).join(", "), MARGIN, MARGIN + 36, 14, "--ink-2");
  for (const label of drawing.host.querySelectorAll<SVGTextElement>(".axis text")) {
    paper.text(label.textContent ?? "", LEFT + (Number.parseFloat(label.getAttribute("x") ?? "0") / 100) * width, top + 10, 12, "--ink-3", "center");
  }
  let y = top + 20;
  for (const lane of lanes) {
    paintLane(paper, lane, y, width);
    y += 22;
  }
  drawing.panels.forEach((panel, i) => {
    paintPanel(paper, panel, y, width);
    y += heights[i] ?? 0;
  });
  return paper.canvas;
}

function paintLane(paper: Paper, lane: HTMLElement, y: number, width: number): void {
  paper.text(lane.querySelector(".name")?.textContent ?? "", MARGIN, y + 13, 12, "--ink-2");
  for (const rect of lane.querySelectorAll("rect")) {
    const { fill, stroke } = getComputedStyle(rect);
    const at = (name: string): number => (Number(rect.getAttribute(name)) / 1000) * width;
    const place: [number, number, number, number] = [LEFT + at("x"), y, Math.max(1, at("width")), 17];
    [paper.ctx.fillStyle, paper.ctx.strokeStyle] = [fill, stroke];
    if (fill !== "none") paper.ctx.fillRect(...place);
    if (stroke !== "none") paper.ctx.strokeRect(...place);
  }
  for (const words of lane.querySelectorAll("text")) {
    const x = LEFT + (Number.parseFloat(words.getAttribute("x") ?? "0") / 100) * width + 4;
    paper.ctx.font = `400 12px ${FONT}`;
    paper.ctx.textAlign = "left";
    paper.ctx.fillStyle = getComputedStyle(words).fill;
    paper.ctx.fillText(words.textContent ?? "", x, y + 13);
  }
}

function paintPanel(paper: Paper, panel: Panel, y: number, width: number): void {
  const height = panel.holder.clientHeight;
  paper.ctx.fillStyle = colour("--rule");
  paper.ctx.fillRect(LEFT, y, width, 1);
  paper.ctx.drawImage(panel.plot.ctx.canvas, LEFT, y, width, height);
  const words = panel.words();
  const name = paper.wrapped(panel.name, LEFT - MARGIN - 44, 13);
  const notes = panel.note.split(", ");
  const first = y + height / 2 - ((name.length + notes.length) * 15) / 2 + 12;
  name.forEach((part, i) => paper.text(part, MARGIN, first + i * 15, 13));
  notes.forEach((part, i) => paper.text(part, MARGIN, first + (name.length + i) * 15, 12, "--ink-3"));
  paper.text(words.top, LEFT - 6, y + 11, 12, "--ink-3", "right");
  paper.text(words.bottom, LEFT - 6, y + height - 4, 12, "--ink-3", "right");
  paper.text(words.last, LEFT + width + 12, y + height / 2 + 4, 22, "--ink", "left", 430);
  paper.text(words.should, LEFT + width + 12, y + height / 2 + 20, 12, "--ink-3");
}

/** Hands the picture to the browser to keep. */
export async function savePicture(drawing: Drawing, section: HTMLElement): Promise<void> {
  const title = section.querySelector("[data-title]")?.textContent ?? "";
  const { compared } = drawing.answer;
  const dashed = compared ? (drawing.words.dashed ?? "{what}").replace("{what}", compared) : "";
  const canvas = paint(drawing, [document.title.replace(/ · Lineset$/, ""), title, document.body.dataset.zone ?? "", dashed]);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (!blob) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${title.replaceAll(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "")}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
