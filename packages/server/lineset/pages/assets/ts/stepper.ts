/** Several taps make one command: the form is sent once the thumb rests, and says so meanwhile. */
import htmx from "htmx.org";
import { number } from "./numbers.ts";

const REST_MS = 900;
const timers = new WeakMap<HTMLFormElement, number>();
/** What was tapped together and not answered yet: a tap while the answer is on its way counts from there. */
const wanted = new WeakMap<HTMLFormElement, number>();

function step(form: HTMLFormElement, button: HTMLButtonElement): void {
  const { step = "1", low = "-99", high = "999" } = form.dataset;
  const down = button === form.querySelector("button");
  const before = wanted.get(form);
  const current = before === undefined ? Number(button.value) : before + Number(step) * (down ? -1 : 1);
  const value = Math.min(Number(high), Math.max(Number(low), current));
  wanted.set(form, value);
  show(form, value);
  clearTimeout(timers.get(form));
  timers.set(
    form,
    window.setTimeout(() => void send(form, value), REST_MS),
  );
}

function show(form: HTMLFormElement, value: number): void {
  const shown = form.querySelector("b");
  if (!shown) return;
  form.classList.add("busy");
  shown.textContent = `${number(value, Number.isInteger(value) ? 0 : 1)}°`;
  const said = form.querySelector(".said");
  if (said) said.textContent = form.dataset.sending ?? "";
  form.querySelector(".cst")?.remove();
}

async function send(form: HTMLFormElement, value: number): Promise<void> {
  const values = Object.fromEntries(new FormData(form)) as Record<string, string>;
  form.classList.remove("busy");
  const target = form.closest<HTMLElement>("[data-refresh]");
  try {
    await htmx.ajax("POST", form.action, {
      values: { ...values, value: String(value) },
      ...(target ? { target, swap: "innerMorph" } : {}),
    });
  } finally {
    const newest = wanted.get(form);
    if (newest === value) wanted.delete(form);
    else if (newest !== undefined) show(form, newest);
  }
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
