/** Parts of a page that the server words anew when a machine's state or a command changes. */
import htmx from "htmx.org";
import type { Reading } from "./live.ts";

const AGAIN_MS = 2000;
const known = new Map<string, string>();
const waiting = new Map<Element, number>();

function refresh(element: HTMLElement): void {
  if (waiting.has(element)) return;
  const url = element.dataset.refresh ?? location.pathname;
  waiting.set(
    element,
    window.setTimeout(() => {
      waiting.delete(element);
      if (element.isConnected && !element.matches(":has([data-stepper].busy)")) {
        void htmx.ajax("GET", url, { target: element, swap: "innerMorph" });
      }
    }, 150),
  );
}

/** Words change only with codes; numbers are written in place. */
function onReading(event: Event): void {
  const reading = (event as CustomEvent<Reading>).detail;
  const codes = Object.entries(reading.values).filter(([, value]) => typeof value === "string");
  const key = JSON.stringify(codes);
  const before = known.get(reading.equipment);
  known.set(reading.equipment, key);
  if (before !== undefined && before !== key) each(reading.equipment);
}

function each(equipment: string): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-refresh]")) {
    if (element.dataset.refreshOn === equipment) refresh(element);
  }
}

export function startRefresh(): void {
  addEventListener("ls:reading", onReading);
  addEventListener("ls:command", (event) => each((event as CustomEvent<{ equipment: string }>).detail.equipment));
  // The answer in words ages too; once a minute is enough, and only in sight.
  setInterval(() => {
    if (!document.hidden) document.querySelectorAll<HTMLElement>("[data-refresh]").forEach(refresh);
  }, 60_000 + AGAIN_MS);
}
