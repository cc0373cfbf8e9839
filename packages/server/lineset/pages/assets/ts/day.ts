/** `<ls-day>`: the server's drawing of a day, made live and readable point by point once its numbers are here. */

class Day extends HTMLElement {
  #stop: (() => void) | undefined;

  connectedCallback(): void {
    void this.#start();
  }

  disconnectedCallback(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  async #start(): Promise<void> {
    // Without numbers or without the script the server's drawing stays: it is whole by itself.
    try {
      const { plotDay } = await import("./plot.ts");
      if (this.isConnected) this.#stop = await plotDay(this);
    } catch {
      this.classList.add("still");
    }
  }
}

export function startDay(): void {
  customElements.define("ls-day", Day);
}
