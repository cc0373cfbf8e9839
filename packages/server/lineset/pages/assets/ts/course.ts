/** `<ls-course>`: reads a course of days one by one, by the keys of a slider or by hand. Without it the table beneath says the same. */

class Course extends HTMLElement {
  connectedCallback(): void {
    const slider = this.querySelector("input");
    const output = this.querySelector("output");
    if (!slider || !output) return;
    const days = JSON.parse(this.getAttribute("days") ?? "[]") as string[];
    const tell = (): void => {
      const said = days[slider.valueAsNumber] ?? "";
      output.textContent = said;
      slider.setAttribute("aria-valuetext", said);
    };
    slider.hidden = false;
    slider.parentElement?.classList.remove("vh");
    slider.setAttribute("aria-label", slider.parentElement?.textContent ?? "");
    slider.addEventListener("input", tell);
    tell();
  }
}

export function startCourse(): void {
  customElements.define("ls-course", Course);
}
