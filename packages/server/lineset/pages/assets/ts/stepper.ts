/** Several taps make one command: the form is sent once the thumb rests, and says so meanwhile. */
import htmx from "htmx.org";
import { number } from "./numbers.ts";

const REST_MS = 900;
const timers = new WeakMap<HTMLFormElement, number>();

function step(form: HTMLFormElement, button: HTMLButtonElement): void {
  const { step = "1", low = "-99", high = "999", sending = "" } = form.dataset;
  const shown = form.querySelector("b");
  if (!shown) return;
  const down = button === form.querySelector("button");
  const current = Number(form.dataset.value ?? button.value) + (form.dataset.value ? Number(step) * (down ? -1 : 1) : 0);
  const value = Math.min(Number(high), Math.max(Number(low), current));
  form.dataset.value = String(value);
  form.classList.add("busy");
  shown.textContent = `${number(value, Number.isInteger(value) ? 0 : 1)}°`;
  const said = form.querySelector(".said");
  if (said) said.textContent = sending;
  form.querySelector(".cst")?.remove();
  clearTimeout(timers.get(form));
  timers.set(
    form,
    window.setTimeout(() => void send(form, value), REST_MS),
  );
}

async function send(form: HTMLFormElement, value: number): Promise<void> {
  const values = Object.fromEntries(new FormData(form)) as Record<string, string>;
  delete form.dataset.value;
  form.classList.remove("busy");
  const target = form.closest<HTMLElement>("[data-refresh]");
  await htmx.ajax("POST", form.action, {
    values: { ...values, value: String(value) },
    ...(target ? { target, swap: "innerMorph" } : {}),
  });
}

export function startStepper(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches("[data-stepper]")) return;
    const button = event.submitter;
    if (!(button instanceof HTMLButtonElement)) return;
    event.preventDefault();
    step(form, button);
  });
}
