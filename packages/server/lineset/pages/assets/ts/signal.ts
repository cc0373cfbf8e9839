// Global Privacy Control as scripts see it. Browsers send it with each page too; one that only tells scripts is passed on to the server.

declare global {
  interface Navigator {
    readonly globalPrivacyControl?: boolean;
  }
}

export function startSignal(): void {
  if (navigator.globalPrivacyControl !== true || document.body.dataset.signal) return;
  const token = /(?:^|;\s*)ls_csrf=([^;]+)/.exec(document.cookie)?.[1];
  if (!token) return; // a browser that keeps no cookies could not keep this one
  void fetch("/preferences/signal", { method: "POST", headers: { "x-csrf-token": token }, redirect: "manual" }).catch(() => undefined);
}
