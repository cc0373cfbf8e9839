/** Changes the theme at once where scripts run; the form does the same by a reload where they do not. */

type Theme = "" | "light" | "dark" | "contrast" | "contrast-dark";

function show(form: HTMLFormElement, theme: Theme): void {
  const names = JSON.parse(form.dataset.names ?? "{}") as Record<Theme, string>;
  const order = Object.keys(names) as Theme[];
  const button = form.querySelector<HTMLButtonElement>("button");
  if (!button) return;
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  const label = button.querySelector("b");
  if (label) label.textContent = names[theme];
  button.value = order[(order.indexOf(theme) + 1) % order.length] ?? "";
}

export function startTheme(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches("[data-theme-switch]")) return;
    event.preventDefault();
    const button = form.querySelector<HTMLButtonElement>("button");
    const theme = (button?.value ?? "") as Theme;
    const body = new FormData(form);
    body.set("theme", theme);
    // The choice is kept by the server's cookie; a failure only means that the next page asks again.
    void fetch(form.action, { method: "POST", body: new URLSearchParams(body as never), redirect: "manual" }).catch(() => undefined);
    document.querySelectorAll<HTMLFormElement>("[data-theme-switch]").forEach((other) => show(other, theme));
  });
}
