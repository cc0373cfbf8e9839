/** Ages that grow: `<time data-seen="seconds since 1970">` in the words that the page brings. */
import { number } from "./numbers.ts";

const STEPS: [limit: number, unit: number][] = [
  [60, 1],
  [3600, 60],
  [48 * 3600, 3600],
  [Number.POSITIVE_INFINITY, 86_400],
];

function show(): void {
  const words = JSON.parse(document.body.dataset.ages ?? "[]") as string[];
  const now = Date.now() / 1000;
  for (const element of document.querySelectorAll<HTMLElement>("[data-seen]")) {
    const seen = Number(element.dataset.seen);
    if (!seen) continue;
    const age = Math.max(0, now - seen);
    const step = STEPS.findIndex(([limit]) => age < limit);
    const text = words[step]?.replace("{n}", number(Math.floor(age / (STEPS[step]?.[1] ?? 1)), 0));
    if (text && element.textContent !== text) element.textContent = text;
    element.classList.toggle("dim", age >= 60);
  }
}

export function startAges(): void {
  if (document.body.dataset.ages) setInterval(show, 1000);
}
