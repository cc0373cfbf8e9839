/** J and K walk through the rows of a list, Enter opens the one in focus, / goes to the search. */

function links(): HTMLAnchorElement[] {
  return [...document.querySelectorAll<HTMLAnchorElement>("[data-row] a[href^='/portal/sites/']")];
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}

export function startRows(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "/") {
      const search = document.querySelector<HTMLInputElement>(".find input");
      if (search) {
        event.preventDefault();
        search.focus();
      }
      return;
    }
    if (event.key !== "j" && event.key !== "k") return;
    const all = links();
    const row = document.activeElement?.closest("[data-row]");
    const at = all.findIndex((link) => row?.contains(link));
    const next = all[event.key === "j" ? at + 1 : Math.max(0, at - 1)];
    next?.focus();
    next?.closest("[data-row]")?.scrollIntoView({ block: "nearest" });
  });
}
