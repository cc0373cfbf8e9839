/** `<ls-day>`: the server's drawing of a stretch of time, made live and readable point by point once its numbers are here. */

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
      const { startChart } = await import("./chart.ts");
      const stop = await startChart(this);
      if (this.isConnected) this.#stop = stop;
      else stop();
    } catch {
      this.classList.add("still");
    }
  }
}

export function startDay(): void {
  customElements.define("ls-day", Day);
}
