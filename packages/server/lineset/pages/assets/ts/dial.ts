/** Moves the needle to each new reading, so long as the scale holds it; beyond the scale the server draws anew. */
import type { Reading } from "./live.ts";
import { number } from "./numbers.ts";

const SWEEP = 220;

function onReading(event: Event): void {
  const reading = (event as CustomEvent<Reading>).detail;
  const value = reading.values.room_temperature;
  const holder = document.querySelector<HTMLElement>(`[data-dial="${CSS.escape(reading.equipment)}"]`);
  const art = holder?.querySelector<SVGElement>("svg");
  if (!holder || !art || typeof value !== "number") return;
  const shown = value * Number(holder.dataset.f ?? 1) + Number(holder.dataset.o ?? 0);
  const low = Number(art.dataset.low);
  const high = Number(art.dataset.high);
  if (shown < low || shown > high) return;
  const share = (shown - low) / (high - low);
  art.querySelector(".needle")?.setAttribute("transform", `rotate(${(share * SWEEP - SWEEP / 2).toFixed(2)})`);
  art.querySelector(".reached")?.setAttribute("stroke-dasharray", `${share.toFixed(4)} 2`);
  const target = Number(art.dataset.target);
  if (art.dataset.target) {
    const aim = (target - low) / (high - low);
    const from = Math.min(share, aim);
    art.querySelector(".to-come")?.setAttribute("stroke-dasharray", `0 ${from.toFixed(4)} ${Math.abs(aim - share).toFixed(4)} 2`);
  }
  const text = art.querySelector(".reading");
  if (text) text.textContent = `${number(shown, 0)}°`;
}

export function startDial(): void {
  addEventListener("ls:reading", onReading);
}
