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
export function clock(seconds: number): string {
  const { zone, clock: hours, language } = document.body.dataset;
  return new Intl.DateTimeFormat(language ?? "en", {
    timeZone: zone ?? "UTC",
    hour: "numeric",
    minute: "2-digit",
    hourCycle: hours === "12" ? "h12" : "h23",
  }).format(seconds * 1000);
}
