/** Numbers as the server writes them: fixed decimals, grouped, a true minus. */

const formats = new Map<number, Intl.NumberFormat>();

function locale(): string {
  const language = document.body.dataset.language ?? "en";
  return document.body.dataset.units === "metric" && language === "es" ? "es-ES" : `${language}-US`;
}

export function number(value: number, digits: number): string {
  let format = formats.get(digits);
  if (!format) {
    format = new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(digits, format);
  }
  const text = format.format(value);
  return (/[1-9]/.test(text) ? text : text.replace("-", "")).replace("-", "−");
}

/** Time of day in the person's zone and style. */
export function clock(seconds: number, withSeconds = false): string {
  const { zone, clock: hours, language } = document.body.dataset;
  const text = new Intl.DateTimeFormat(language ?? "en", {
    timeZone: zone ?? "UTC",
    hour: "2-digit",
    minute: "2-digit",
    ...(withSeconds ? { second: "2-digit" as const } : {}),
    hourCycle: "h23",
  }).format(seconds * 1000);
  if (hours !== "12") return text;
  const hour = Number(text.slice(0, 2));
  return `${hour % 12 || 12}${text.slice(2)}\u00a0${hour < 12 ? "am" : "pm"}`;
}

/** Weekday, day, month and time of day in the person's zone and style. */
export function moment(seconds: number): string {
  const { zone, language } = document.body.dataset;
  const day = new Intl.DateTimeFormat(language ?? "en", { timeZone: zone ?? "UTC", weekday: "short", day: "numeric", month: "short" });
  const parts = Object.fromEntries(day.formatToParts(seconds * 1000).map(({ type, value }) => [type, value]));
  return `${parts.weekday} ${parts.day} ${parts.month}, ${clock(seconds)}`;
}
