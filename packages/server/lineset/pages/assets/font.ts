// The one font of the pages, cut to the characters that English and Spanish pages use and to the widths and
// weights that the tokens name. A name with other letters falls back to the next family letter by letter.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import subsetFont from "subset-font";

const require = createRequire(import.meta.url);

const printable = Array.from({ length: 0x7e - 0x20 + 1 }, (_, i) => String.fromCharCode(0x20 + i)).join("");
// Braces, bars and the like stand only in code, which has a face of its own.
const characters = printable.replace(/[\\^`{|}~]/g, "") + "ÁÉÍÓÚÜÑáéíóúüñç¿¡°²·×±\u00a0–—‘’“”…•−€";
const axes = { wght: { min: 330, max: 640 }, wdth: { min: 80, max: 100 } };
const features = ["kern", "tnum", "lnum"];
const heaviestBytes = 30 * 1024;

/** Writes the subset next to `folder` unless it is there already, and returns its path. */
export async function cutFont(folder: string): Promise<string> {
  const source = require.resolve("@fontsource-variable/archivo/files/archivo-latin-standard-normal.woff2");
  const original = readFileSync(source);
  const key = createHash("sha256").update(original).update(characters).update(JSON.stringify([axes, features])).digest("hex");
  const path = join(folder, `archivo-${key.slice(0, 12)}.woff2`);
  if (!existsSync(path)) {
    const cut = await subsetFont(original, characters, {
      targetFormat: "woff2",
      variationAxes: axes,
      keepFeatures: features,
      noHinting: true,
    });
    if (cut.length > heaviestBytes) {
      throw new Error(`The font has ${cut.length} bytes; at most ${heaviestBytes} are allowed. Remove characters in font.ts.`);
    }
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, cut);
  }
  return path;
}
