/** The live stream: one connection while the page is in sight, for the machines that it shows. */
import { number } from "./numbers.ts";

export interface Reading {
  equipment: string;
  t: number;
  values: Record<string, number | string>;
}

interface Message extends Partial<Reading> {
  command?: { id: string; equipment: string; state: string };
}

const HIDDEN_MS = 20_000;
const MOST_MACHINES = 100;
let source: EventSource | undefined;
let hidden: number | undefined;

function machines(): string[] {
  const ids = new Set<string>();
  for (const element of document.querySelectorAll<HTMLElement>("[data-point], [data-refresh-on]")) {
    const id = element.dataset.point?.split("/")[0] ?? element.dataset.refreshOn;
    if (id) ids.add(id);
    if (ids.size === MOST_MACHINES) break;
  }
  return [...ids];
}

function show(reading: Reading): void {
  for (const [point, value] of Object.entries(reading.values)) {
    const selector = `[data-point="${CSS.escape(`${reading.equipment}/${point}`)}"]`;
    for (const element of document.querySelectorAll<HTMLElement>(selector)) write(element, value);
    const age = `[data-live-of="${CSS.escape(`${reading.equipment}/${point}`)}"]`;
    for (const element of document.querySelectorAll<HTMLElement>(age)) element.dataset.seen = String(reading.t);
  }
  for (const element of document.querySelectorAll<HTMLElement>(`[data-seen][data-of="${CSS.escape(reading.equipment)}"]`)) {
    element.dataset.seen = String(Math.max(reading.t, Number(element.dataset.seen)));
  }
}

function write(element: HTMLElement, value: number | string): void {
  const { f = "1", o = "0", d = "1" } = element.dataset;
  const text = typeof value === "number" ? number(value * Number(f) + Number(o), Number(d)) : word(value);
  if (element.textContent !== text) element.textContent = text;
  element.classList.remove("dim");
}

export function word(code: string): string {
  const words = JSON.parse(document.body.dataset.words ?? "{}") as Record<string, string>;
  return words[code] ?? code.replaceAll("_", " ");
}

function receive(event: MessageEvent<string>): void {
  const message = JSON.parse(event.data) as Message;
  if (message.equipment && message.values) {
    const reading = message as Reading;
    show(reading);
    dispatchEvent(new CustomEvent("ls:reading", { detail: reading }));
  }
  if (message.command) dispatchEvent(new CustomEvent("ls:command", { detail: message.command }));
}

function open(): void {
  const address = document.body.dataset.live;
  const wanted = machines();
  if (!address || source || wanted.length === 0) return;
  source = new EventSource(`${address}?${new URLSearchParams({ equipment: wanted.join(",") })}`);
  source.onmessage = receive;
  source.onopen = () => document.body.classList.remove("unlinked");
  source.onerror = () => document.body.classList.add("unlinked");
}

function close(): void {
  source?.close();
  source = undefined;
}

export function startLive(): void {
  open();
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  addEventListener("ls:changed", () => {
    close();
    open();
  });
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hidden);
    if (document.hidden) hidden = window.setTimeout(close, HIDDEN_MS);
    else open();
  });
}
