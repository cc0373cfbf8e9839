/**
 * Places: asks the browser for its own when somebody presses for it, and never else. When the browser's own permission has been taken
 * back, the switch of this browser is turned off, so that what was stored goes.
 */

function ask(form: HTMLFormElement, say: HTMLElement | null): void {
  navigator.geolocation.getCurrentPosition(
    (position) => {
      const put = (name: string, value: string): void => {
        const input = form.elements.namedItem(name);
        if (input instanceof HTMLInputElement) input.value = value;
      };
      put("latitude", position.coords.latitude.toFixed(3));
      put("longitude", position.coords.longitude.toFixed(3));
      put("source", "browser");
      form.requestSubmit();
    },
    () => {
      if (say) say.hidden = false;
    },
    { maximumAge: 600_000, timeout: 20_000 },
  );
}

async function tell(section: HTMLElement): Promise<void> {
  const body = new URLSearchParams({ thing: section.dataset.thing ?? "", answer: "no", by: "permission", _csrf_token: section.dataset.csrf ?? "" });
  const answer = await fetch(section.dataset.placeSession ?? "", { method: "POST", body, redirect: "manual" });
  if (answer.type === "opaqueredirect" || answer.ok) location.reload();
}

async function watch(section: HTMLElement): Promise<void> {
  const permission = await navigator.permissions.query({ name: "geolocation" });
  const look = (): void => {
    if (permission.state === "denied") void tell(section);
  };
  permission.addEventListener("change", look);
  look();
}

export function startPlace(): void {
  if (!("geolocation" in navigator)) return;
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-place]")) {
    const button = form.querySelector<HTMLButtonElement>("[data-place-ask]");
    if (!button) continue;
    button.hidden = false;
    button.addEventListener("click", () => ask(form, form.querySelector<HTMLElement>("[data-place-say]")));
  }
  for (const section of document.querySelectorAll<HTMLElement>("[data-place-session]")) void watch(section);
}
