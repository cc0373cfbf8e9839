/** Fills an empty time zone with the browser's own. */

export function startZone(): void {
  for (const input of document.querySelectorAll<HTMLInputElement>("[data-guess-zone]")) {
    if (!input.value) input.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
}
