/** The chart of a page: fetches what the address asks for, keeps the address in step, and its tools at hand. */
import { Drawing } from "./drawing.ts";
import { type Reading, word } from "./live.ts";
import { followHand, followKeys, type Mover, pan, zoom } from "./moves.ts";
import { savePicture } from "./picture.ts";
import type { Answer } from "./tracks.ts";

const NAMES = ["span", "start", "end", "points", "compare", "outdoor"];
const AGAIN_MS = 5 * 60_000;
const STALE_MS = 30_000;
const SETTLE_MS = 220;
const NEAR_NOW = 0.01;

function stamp(seconds: number): string {
  return new Date(Math.round(seconds) * 1000).toISOString().replace(".000", "");
}

/** The parameters of a chart among those of an address. */
function ours(search: string): URLSearchParams {
  const all = new URLSearchParams(search);
  return new URLSearchParams(NAMES.flatMap((name) => (all.get(name) ? [[name, all.getAll(name).join(",")]] : [])));
}

function sameBut(a: URLSearchParams, b: URLSearchParams, names: string[]): boolean {
  return NAMES.every((name) => names.includes(name) || (a.get(name) ?? "") === (b.get(name) ?? ""));
}

export async function startChart(host: HTMLElement): Promise<() => void> {
  const section = host.closest<HTMLElement>("[data-chart]");
  const here = new URLSearchParams(host.getAttribute("query") ?? "");
  const first = await fetchAnswer(host, here);
  const chart = new Chart(host, section, here, first);
  return () => chart.destroy();
}

async function fetchAnswer(host: HTMLElement, query: URLSearchParams, signal?: AbortSignal): Promise<Answer> {
  const asked = new URLSearchParams(query);
  asked.set("clock", document.body.dataset.clock ?? "");
  const answer = await fetch(`/charts/${host.getAttribute("equipment")}?${asked}`, { headers: { "hx-request": "true" }, signal: signal ?? null });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as Answer;
}

class Chart implements Mover {
  readonly free: boolean;
  readonly #host: HTMLElement;
  readonly #section: HTMLElement | null;
  readonly #drawing: Drawing;
  readonly #ended = new AbortController();
  #query: URLSearchParams;
  #asking: AbortController | undefined;
  #settle = 0;
  #fetched = Date.now();
  #depth = 0;

  constructor(host: HTMLElement, section: HTMLElement | null, query: URLSearchParams, answer: Answer) {
    this.#host = host;
    this.#section = section;
    this.#query = query;
    this.free = section !== null;
    this.#drawing = new Drawing(host, answer);
    this.#drawing.mark();
    const axis = host.querySelector<HTMLElement>(".axis");
    followHand(this.#drawing.over, this, () => axis?.offsetHeight ?? 0);
    followKeys(this.#drawing.over, this);
    this.#listen();
    if (section) this.#tools(section);
  }

  // -- what hands and keys move ------------------------------------------------------------------------------------

  timeAt(px: number): number {
    return this.#drawing.timeAt(px);
  }

  span(): [number, number] {
    return this.#drawing.span();
  }

  width(): number {
    return this.#drawing.width();
  }

  mark(from?: number, to?: number): void {
    this.#drawing.mark(from, to);
  }

  point(t?: number): void {
    this.#drawing.point(t);
  }

  cursor(): number | undefined {
    return this.#drawing.cursor();
  }

  preview(start: number, end: number): void {
    this.#asking?.abort();
    this.#drawing.preview(start, end);
  }

  commit(): void {
    clearTimeout(this.#settle);
    this.#settle = window.setTimeout(() => {
      this.#settle = 0;
      void this.#go(this.#wanted());
    }, SETTLE_MS);
  }

  back(): void {
    if (this.#depth > 0) history.back();
    else if (this.#query.has("start") || this.#query.has("span")) void this.#go(this.#with({ span: "" }));
  }

  /** The stretch in sight as parameters; one that ends now keeps ending now. */
  #wanted(): URLSearchParams {
    const [start, end] = this.span();
    const length = Math.round(end - start);
    if (Date.now() / 1000 - end < Math.max(5, length * NEAR_NOW)) return this.#with({ span: length === 86_400 ? "" : `${length}s` });
    return this.#with({ start: stamp(start), end: stamp(end) });
  }

  #with(changed: Record<string, string>): URLSearchParams {
    const query = new URLSearchParams(this.#query);
    if ("span" in changed || "start" in changed) for (const name of ["span", "start", "end"]) query.delete(name);
    for (const [name, value] of Object.entries(changed)) {
      if (value) query.set(name, value);
      else query.delete(name);
    }
    return query;
  }

  // -- fetching --------------------------------------------------------------------------------------------------------

  /** Show what `query` asks for. The old picture stays until the new one is there; a newer wish ends an older one. */
  async #go(query: URLSearchParams, push = true): Promise<void> {
    clearTimeout(this.#settle);
    this.#settle = 0;
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    const onlyTime = sameBut(query, this.#query, ["span", "start", "end"]);
    this.#section?.setAttribute("aria-busy", "true");
    try {
      if (onlyTime) this.#take(await fetchAnswer(this.#host, query, asking.signal), query, push);
      else await this.#replace(query, asking.signal, push);
    } catch (error) {
      if (!asking.signal.aborted) this.#failed(error);
    } finally {
      if (this.#asking === asking) this.#section?.removeAttribute("aria-busy");
    }
  }

  #take(answer: Answer, query: URLSearchParams, push: boolean): void {
    this.#query = query;
    this.#fetched = Date.now();
    this.#drawing.show(answer);
    if (push) this.#push(query);
    this.#around(answer);
  }

  #push(query: URLSearchParams): void {
    if (!this.#section) return;
    const all = new URLSearchParams(location.search);
    for (const name of NAMES) all.delete(name);
    for (const [name, value] of query) all.set(name, value);
    const search = all.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
    const address = location.pathname + (search ? `?${search}` : "");
    if (address === location.pathname + location.search) return;
    this.#depth += 1;
    history.pushState({ chart: this.#depth }, "", address);
  }

  /** Other points or another comparison: the server lays the part out anew. */
  async #replace(query: URLSearchParams, signal: AbortSignal, push: boolean): Promise<void> {
    const section = this.#section as HTMLElement;
    const answer = await fetch(`${section.dataset.chart}/chart?${query}`, { headers: { "hx-request": "true" }, signal });
    if (!answer.ok && answer.status !== 422) throw new Error(await answer.text());
    const html = await answer.text();
    const held = document.activeElement?.closest<HTMLElement>("[data-set]")?.dataset.set;
    const open = [...section.querySelectorAll("details[open]")].map((details) => details.id);
    if (push && answer.ok) this.#push(query);
    section.innerHTML = html;
    for (const id of open) section.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
    if (held) section.querySelector<HTMLElement>(`[data-set="${CSS.escape(held)}"]`)?.focus();
  }

  #failed(error: unknown): void {
    const problem = this.#section?.querySelector<HTMLElement>("[data-problem]");
    if (!problem) return;
    problem.hidden = false;
    const said = new DOMParser().parseFromString(error instanceof TypeError ? "" : String((error as Error).message), "text/html").body.textContent;
    problem.textContent = said?.trim() || (this.#drawing.words.failed ?? "");
  }

  // -- the page around -------------------------------------------------------------------------------------------------

  /** Title, fields, links and table say what is shown. */
  #around(answer: Answer): void {
    const section = this.#section;
    if (!section) return;
    const set = (selector: string, write: (element: HTMLElement) => void): void =>
      section.querySelectorAll<HTMLElement>(selector).forEach(write);
    set("[data-title]", (e) => void (e.textContent = answer.title));
    set("[data-problem]", (e) => void (e.hidden = true));
    set("[data-nothing]", (e) => void (e.hidden = !answer.empty));
    set("[name=start]", (e) => void ((e as HTMLInputElement).value = answer.start_field));
    set("[name=end]", (e) => void ((e as HTMLInputElement).value = answer.end_field));
    set("[data-set^='span=']", (e) => {
      if (e.dataset.set === `span=${answer.span}`) e.setAttribute("aria-current", "true");
      else e.removeAttribute("aria-current");
    });
    set("[data-say]", (e) => void (e.textContent = `${answer.title}. ${answer.say}`));
    set(".last b[data-live]", (e) => {
      if (answer.span) e.dataset.point = e.dataset.live ?? "";
      else delete e.dataset.point;
    });
    this.#csv();
    this.#table();
  }

  #fixed(): URLSearchParams {
    const { start, end } = this.#drawing.answer;
    return this.#with({ start: stamp(start), end: stamp(end) });
  }

  /** The file has what is shown, also when the chart has moved on since. */
  #csv(): void {
    const link = this.#section?.querySelector<HTMLAnchorElement>("[data-csv]");
    if (link) link.href = `/charts/${this.#host.getAttribute("equipment")}/csv?${this.#fixed()}`;
  }

  #table(): void {
    const details = this.#section?.querySelector<HTMLDetailsElement>("[data-table]");
    if (!details?.open) return;
    const query = this.#fixed();
    query.set("clock", document.body.dataset.clock ?? "");
    fetch(`/charts/${this.#host.getAttribute("equipment")}/table?${query}`, { signal: this.#ended.signal })
      .then(async (answer) => {
        const place = details.querySelector("[data-figures]");
        if (answer.ok && place) place.innerHTML = await answer.text();
      })
      .catch(() => undefined);
  }

  #tools(section: HTMLElement): void {
    const signal = this.#ended.signal;
    section.querySelectorAll<HTMLElement>("[data-scripted]").forEach((element) => void (element.hidden = false));
    section.addEventListener("click", (event) => this.#click(event), { signal });
    section.addEventListener("submit", (event) => this.#submit(event), { signal });
    section.querySelector("[data-table]")?.addEventListener("toggle", () => this.#table(), { signal });
    addEventListener("popstate", () => this.#popped(), { signal });
    this.#csv();
  }

  #click(event: MouseEvent): void {
    const target = event.target as HTMLElement;
    const link = target.closest<HTMLAnchorElement>("a[data-set]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      const [name, value] = (link.dataset.set ?? "").split("=") as [string, string];
      const off = name === "outdoor" && this.#query.has("outdoor");
      void this.#go(this.#with({ [name]: off || (name === "span" && value === "24h") ? "" : value }));
    }
    if (target.closest("[data-csv]")) this.#csv();
    if (target.closest("[data-png]")) void savePicture(this.#drawing, this.#section as HTMLElement);
    const move = target.closest<HTMLElement>("[data-move]")?.dataset.move;
    if (!move) return;
    if (move === "earlier" || move === "later") pan(this, move === "later" ? 0.5 : -0.5);
    else zoom(this, move === "in" ? 0.5 : 2);
    this.commit();
  }

  #submit(event: Event): void {
    const form = event.target as HTMLFormElement;
    if (!form.matches("[data-chart-form]")) return;
    event.preventDefault();
    const typed = new FormData(form);
    const changed: Record<string, string> = { points: typed.getAll("points").join(",") };
    const { start_field, end_field } = this.#drawing.answer;
    const [start, end] = [String(typed.get("start") ?? ""), String(typed.get("end") ?? "")];
    if (start !== start_field || end !== end_field) Object.assign(changed, { start, end });
    if (form.dataset.usual === changed.points) changed.points = "";
    void this.#go(this.#with(changed));
  }

  #popped(): void {
    const query = ours(location.search);
    this.#depth = (history.state as { chart?: number } | null)?.chart ?? 0;
    if (sameBut(query, this.#query, [])) return;
    const held = document.activeElement === this.#drawing.over;
    void this.#go(query, false).then(() => held && setTimeout(() => this.#drawing.over.focus({ preventScroll: true }), 30));
  }

  #listen(): void {
    const signal = this.#ended.signal;
    addEventListener("ls:reading", (event) => this.#drawing.take((event as CustomEvent<Reading>).detail, word), { signal });
    const again = setInterval(() => this.#refresh(AGAIN_MS), AGAIN_MS);
    document.addEventListener("visibilitychange", () => this.#refresh(STALE_MS), { signal });
    signal.addEventListener("abort", () => clearInterval(again));
  }

  /** A chart that ends now, asked for again in sight, if it is older than `age` ms. */
  #refresh(age: number): void {
    if (document.hidden || !this.#drawing.answer.span || Date.now() - this.#fetched < age) return;
    this.#fetched = Date.now();
    const asked = this.#query;
    fetchAnswer(this.#host, asked, this.#ended.signal)
      .then((answer) => {
        if (this.#query === asked && !this.#settle) this.#drawing.show(answer);
      })
      .catch(() => undefined);
  }

  destroy(): void {
    clearTimeout(this.#settle);
    this.#ended.abort();
    this.#drawing.destroy();
  }
}
