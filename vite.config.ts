import { readdirSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";
import { cutFont } from "./packages/server/lineset/pages/assets/font.ts";

const pages = resolve(import.meta.dirname, "packages/server/lineset/pages");
const cache = resolve(import.meta.dirname, "node_modules/.cache/lineset");

/** Resolves `archivo.woff2` in a style sheet to the subset that is cut on the first build. */
function font(): Plugin {
  return {
    name: "lineset-font",
    enforce: "pre",
    async config() {
      return { resolve: { alias: { "archivo.woff2": await cutFont(cache) } } };
    },
  };
}

/** Earlier builds stay for an hour, so that a server that started with them keeps what its pages name. */
function tidy(folder: string): Plugin {
  return {
    name: "lineset-tidy",
    writeBundle(_options, bundle) {
      const now = Date.now();
      for (const name of readdirSync(folder)) {
        const path = join(folder, name);
        if (!(`assets/${name}` in bundle) && now - statSync(path).mtimeMs > 3_600_000) rmSync(path);
      }
    },
  };
}

export default defineConfig({
  root: resolve(pages, "assets"),
  base: "/static/",
  publicDir: resolve(pages, "assets/public"),
  plugins: [font(), tidy(resolve(pages, "static/assets"))],
  build: {
    outDir: resolve(pages, "static"),
    emptyOutDir: false,
    manifest: "manifest.json",
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // Scripts run only with the page's nonce, so nothing may inject a preload of its own.
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rollupOptions: { input: { app: resolve(pages, "assets/ts/app.ts") } },
  },
});
