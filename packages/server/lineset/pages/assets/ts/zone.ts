/** Fills in the browser's own time zone where a form asks for one; without scripts it stays empty, which is allowed. */
export function startZone(): void {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const field of document.querySelectorAll<HTMLInputElement>("input[data-own-zone]")) field.value ||= zone;
}
