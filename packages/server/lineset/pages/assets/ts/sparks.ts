/** Spark lines of rows, fetched as the rows come into sight: a list of thousands stays light at first. */

interface Spark {
  measured: string;
  expected: string;
  between: string;
  gaps: [number, number][];
  height: number;
}

const NAMESPACE = "http://www.w3.org/2000/svg";
const BATCH = 12;
const waiting = new Set<SVGElement>();
let timer: number | undefined;

function path(name: string, d: string): SVGElement {
  const element = document.createElementNS(NAMESPACE, "path");
  element.setAttribute("class", name);
  element.setAttribute("d", d);
  return element;
}

function draw(svg: SVGElement, spark: Spark): void {
  const parts: SVGElement[] = spark.gaps.map(([x, width]) => {
    const gap = document.createElementNS(NAMESPACE, "rect");
    gap.setAttribute("class", "gap");
    gap.setAttribute("x", String(x));
    gap.setAttribute("width", String(width));
    gap.setAttribute("height", String(spark.height));
    return gap;
  });
  if (spark.between) parts.push(path("between", spark.between));
  if (spark.expected) parts.push(path("should", spark.expected));
  if (spark.measured) parts.push(path("is", spark.measured));
  svg.replaceChildren(...parts);
}

async function flush(): Promise<void> {
  const batch = [...waiting].slice(0, BATCH);
  for (const svg of batch) waiting.delete(svg);
  if (batch.length === 0) return;
  const ids = batch.map((svg) => svg.dataset.spark ?? "").join(",");
  const answer = await fetch(`/portal/trends?equipment=${ids}`).catch(() => undefined);
  if (answer?.ok) {
    const sparks = (await answer.json()) as Record<string, Spark>;
    for (const svg of batch) {
      const spark = sparks[svg.dataset.spark ?? ""];
      if (spark) draw(svg, spark);
    }
  }
  if (waiting.size > 0) void flush();
}

const sight = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      sight.unobserve(target);
      waiting.add(target as SVGElement);
    }
    clearTimeout(timer);
    timer = window.setTimeout(() => void flush(), 60);
  },
  { rootMargin: "200px" },
);

function watch(): void {
  document.querySelectorAll("[data-spark]:empty").forEach((svg) => sight.observe(svg));
}

export function startSparks(): void {
  watch();
  document.addEventListener("htmx:after:swap", watch);
}
