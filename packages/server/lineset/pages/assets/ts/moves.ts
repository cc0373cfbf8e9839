/** How a chart is moved: wheel, drag, pinch, keys. A drag marks a span; on the axis or with Shift it moves; a finger moves, two zoom. */

export interface Mover {
  /** Where on the axis a place in px is, in seconds since 1970. */
  timeAt(px: number): number;
  span(): [start: number, end: number];
  width(): number;
  /** Show another stretch of what is there already. */
  preview(start: number, end: number): void;
  /** The stretch in sight is what is wanted: fetch it. */
  commit(): void;
  /** Mark a span; undefined takes the mark away. */
  mark(from?: number, to?: number): void;
  /** The cursor, in seconds since 1970; undefined takes it away. */
  point(t?: number): void;
  cursor(): number | undefined;
  back(): void;
  /** Whether it may be moved at all, or only be read. */
  free: boolean;
}

const LEAST_PX = 6;
const WHEEL_STEP = 0.0016;
const LONG_PRESS_MS = 350;

function zoomed([start, end]: [number, number], centre: number, factor: number): [number, number] {
  return [centre - (centre - start) * factor, centre + (end - centre) * factor];
}

export function zoom(mover: Mover, factor: number, centre?: number): void {
  const [start, end] = mover.span();
  mover.preview(...zoomed([start, end], centre ?? (start + end) / 2, factor));
}

export function pan(mover: Mover, share: number): void {
  const [start, end] = mover.span();
  const step = (end - start) * share;
  mover.preview(start + step, end + step);
}

/** Everything a hand does on `over`; `axis` px from its top are the time axis. */
export function followHand(over: HTMLElement, mover: Mover, axis: () => number): void {
  const fingers = new Map<number, PointerEvent>();
  let kind: "" | "mark" | "pan" | "pinch" | "wait" | "read" = "";
  let from = 0;
  let began: [number, number] = [0, 0];
  let apart = 0;
  let middle = 0;
  let press = 0;
  const px = (event: { clientX: number }): number => event.clientX - over.getBoundingClientRect().left;

  const start = (event: PointerEvent): void => {
    fingers.set(event.pointerId, event);
    from = px(event);
    began = mover.span();
    if (fingers.size === 2 && mover.free) {
      const [a, b] = [...fingers.values()].map(px) as [number, number];
      [kind, apart, middle] = ["pinch", Math.max(10, Math.abs(a - b)), mover.timeAt((a + b) / 2)];
      return;
    }
    if (event.pointerType === "mouse" && event.button !== 0) return;
    if (event.pointerType !== "mouse") {
      kind = "wait";
      clearTimeout(press);
      press = window.setTimeout(() => {
        if (kind !== "wait") return;
        kind = "read";
        mover.point(mover.timeAt(from));
      }, LONG_PRESS_MS);
      return;
    }
    if (!mover.free) return;
    const top = event.clientY - over.getBoundingClientRect().top;
    kind = event.shiftKey || top < axis() ? "pan" : "mark";
    over.setPointerCapture(event.pointerId);
  };

  const move = (event: PointerEvent): void => {
    const x = px(event);
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, event);
    if (kind === "pinch" && fingers.size === 2) {
      const [a, b] = [...fingers.values()].map(px) as [number, number];
      const length = (began[1] - began[0]) * (apart / Math.max(10, Math.abs(a - b)));
      const left = middle - (length * ((a + b) / 2)) / mover.width();
      mover.preview(left, left + length);
      return;
    }
    if (kind === "wait" && Math.abs(x - from) > LEAST_PX) {
      clearTimeout(press);
      kind = mover.free ? "pan" : "read";
    }
    if (kind === "pan") {
      const step = ((from - x) / mover.width()) * (began[1] - began[0]);
      mover.preview(began[0] + step, began[1] + step);
      return;
    }
    if (kind === "mark" && Math.abs(x - from) > LEAST_PX) mover.mark(mover.timeAt(Math.min(from, x)), mover.timeAt(Math.max(from, x)));
    if (event.pointerType === "mouse" || kind === "read") mover.point(mover.timeAt(x));
  };

  const end = (event: PointerEvent): void => {
    clearTimeout(press);
    const x = px(event);
    fingers.delete(event.pointerId);
    const was = kind;
    if (was === "pinch" && fingers.size > 0) return;
    kind = "";
    if (was === "mark") {
      mover.mark();
      if (Math.abs(x - from) > LEAST_PX && event.type === "pointerup") {
        mover.preview(mover.timeAt(Math.min(from, x)), mover.timeAt(Math.max(from, x)));
        mover.commit();
      }
    }
    if (was === "wait" && event.type === "pointerup") mover.point(mover.timeAt(x));
    if (was === "pan" || was === "pinch") mover.commit();
  };

  over.addEventListener("pointerdown", start);
  over.addEventListener("pointermove", move);
  over.addEventListener("pointerup", end);
  over.addEventListener("pointercancel", end);
  over.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse" && kind === "") mover.point();
  });
  over.addEventListener("dblclick", () => mover.free && mover.back());
  over.addEventListener("wheel", (event) => turn(event, over, mover, px(event)), { passive: false });
}

/** The wheel zooms about the pointer once the chart is in use (clicked or focused) or with Ctrl; sideways it moves. Else the page scrolls. */
function turn(event: WheelEvent, over: HTMLElement, mover: Mover, x: number): void {
  if (!mover.free) return;
  const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
  if (!event.ctrlKey && !event.metaKey && !sideways && document.activeElement !== over) return;
  event.preventDefault();
  const step = event.deltaMode === 1 ? 24 : 1;
  if (sideways) pan(mover, (((event.deltaX || event.deltaY) * step) / mover.width()) * 0.8);
  else zoom(mover, Math.exp(Math.max(-400, Math.min(400, event.deltaY * step)) * WHEEL_STEP), mover.timeAt(x));
  mover.commit();
}

/** What the keys do: arrows move the cursor, with Shift the stretch; + and - zoom; Home and End; Escape goes back. */
export function followKeys(over: HTMLElement, mover: Mover): void {
  const step = (share: number): void => {
    const [start, end] = mover.span();
    const here = mover.cursor() ?? (share > 0 ? start : end);
    mover.point(Math.max(start, Math.min(end, here + (end - start) * share)));
  };
  const moving = (share: number): void => {
    pan(mover, share);
    mover.commit();
  };
  const zooming = (factor: number): void => {
    const [start, end] = mover.span();
    const here = mover.cursor();
    zoom(mover, factor, here !== undefined && here >= start && here <= end ? here : undefined);
    mover.commit();
  };
  const read: Record<string, () => void> = {
    ArrowLeft: () => step(-0.01),
    ArrowRight: () => step(0.01),
    ArrowDown: () => step(-0.1),
    ArrowUp: () => step(0.1),
    Home: () => mover.point(mover.span()[0]),
    End: () => mover.point(mover.span()[1]),
  };
  const changed: Record<string, () => void> = {
    "Shift+ArrowLeft": () => moving(-0.25),
    "Shift+ArrowRight": () => moving(0.25),
    PageUp: () => moving(-1),
    PageDown: () => moving(1),
    "+": () => zooming(0.5),
    "=": () => zooming(0.5),
    "-": () => zooming(2),
    Escape: () => mover.back(),
  };
  over.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key;
    const action = read[key] ?? (mover.free ? changed[key] : undefined);
    if (!action) return;
    event.preventDefault();
    action();
  });
}
