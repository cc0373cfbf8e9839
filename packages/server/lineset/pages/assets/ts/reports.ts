/**
 * Tells the platform of errors in our own scripts, and, for signed-in people alone, once a visit that the pages were opened. Where nobody
 * is signed in, errors are told only after a yes to what is not needed.
 * Nothing of what somebody typed goes along: quotations and numbers are taken out of messages, stacks keep places in our own scripts only,
 * addresses of pages lose what they ask for. Errors of other programs in the page (extensions) are not looked at.
 */

const SCRIPTS = `${location.origin}/static/`;
const MOST_FRAMES = 12;
const MOST_KINDS = 8;
const GATHER_MS = 2_000;

interface Report {
  kind: "opened" | "error" | "rejection";
  version: string;
  type?: string;
  message?: string;
  frames?: string[];
  page?: string;
  times?: number;
}

const build = /([\w.-]{1,40})\.js/.exec(import.meta.url)?.[1] ?? "?";
const waiting = new Map<string, Report>();
const seen = new Set<string>();
let timer = 0;

/** Places of a stack that lie in our own scripts, innermost first, as `function@script.js:line:column`. */
function places(stack: string): string[] {
  const found: string[] = [];
  for (const line of stack.split("\n")) {
    const at = line.indexOf(SCRIPTS);
    const place = at < 0 ? null : /([\w.-]{1,80}\.js):(\d+):(\d+)/.exec(line.slice(at));
    if (!place) continue;
    const name = /^\s*at (?:async )?([\w$.<>]{1,60}) \(/.exec(line)?.[1] ?? /^([\w$.<>/]{1,60})@/.exec(line)?.[1] ?? "";
    found.push(`${name}@${place[1]}:${place[2]}:${place[3]}`);
    if (found.length === MOST_FRAMES) break;
  }
  return found;
}

function bare(message: string): string {
  return message
    .slice(0, 400)
    .replace(/"[^"]*"|'[^']*'|`[^`]*`|“[^”]*”/g, "#")
    .replace(/https?:\/\/\S+|\S+@\S+/g, "#")
    .replace(/\d[\d.,:]*/g, "#")
    .slice(0, 200);
}

function token(): string {
  return /(?:^|;\s*)ls_csrf=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}

function send(to: string, report: Report): void {
  void fetch(to, {
    method: "POST",
    headers: { "content-type": "application/json", "x-csrf-token": token() },
    body: JSON.stringify(report),
    keepalive: true,
    redirect: "manual",
  }).catch(() => undefined); // a report that does not get through must not cause another
}

function gather(to: string, kind: "error" | "rejection", error: unknown, source = ""): void {
  const known = error instanceof Error ? error : null;
  const frames = places(known?.stack ?? "");
  if (!frames.length && !source.startsWith(SCRIPTS)) return;
  const report: Report = {
    kind,
    version: build,
    type: known?.name.slice(0, 60) ?? "Error",
    message: bare(known?.message ?? (typeof error === "string" ? error : "")),
    frames,
    page: location.pathname.slice(0, 200),
    times: 1,
  };
  const key = `${report.type} ${report.message} ${frames[0] ?? ""}`;
  const before = waiting.get(key);
  if (before) {
    before.times = (before.times ?? 1) + 1;
    return;
  }
  if (!seen.has(key) && seen.size >= MOST_KINDS) return;
  seen.add(key);
  waiting.set(key, report);
  if (!timer) timer = window.setTimeout(() => flush(to), GATHER_MS);
}

function flush(to: string): void {
  clearTimeout(timer);
  timer = 0;
  for (const report of waiting.values()) send(to, report);
  waiting.clear();
}

export function startReports(): void {
  const to = document.body.dataset.reports;
  if (!to) return;
  window.addEventListener("error", (event) => gather(to, "error", event.error ?? event.message, event.filename));
  window.addEventListener("unhandledrejection", (event) => gather(to, "rejection", event.reason));
  window.addEventListener("pagehide", () => flush(to));
  if (document.body.dataset.signedOut !== undefined) return; // visits are counted for nobody who is not signed in
  try {
    if (sessionStorage.getItem("ls_opened") === build) return;
    sessionStorage.setItem("ls_opened", build);
  } catch {
    return; // a browser that keeps nothing would tell it on each page
  }
  send(to, { kind: "opened", version: build });
}
