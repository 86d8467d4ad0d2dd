/**
 * The single-file build: `dist/kvbench.js` does everything that `mod.ts` does, from an empty folder and without
 * a network. Kernels are inlined by the bundler as text. The embedded weights go in as Base64 text, which costs
 * a third more than bytes and 20 ms to decode, and is decoded only when the model is asked for; deflating float
 * weights would save 7 %. Only the native canvas cannot be part of a script: without it no chart is drawn.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { KvbenchError } from "../errors.ts";

/** What goes into a bundle, and where it goes. */
export interface BundleOptions {
  /** The module whose `main(args)` the bundle runs, and whose exports are the bundle's. */
  readonly entry: URL;
  /** The file to write. Its folder is made where it is missing. */
  readonly out: URL;
}

/** Left to be loaded at run time: it is native code. */
const EXTERNAL = "npm:@napi-rs/canvas*";

const ROOT = new URL("../../", import.meta.url);
const WEIGHTS = new URL("weights/tiny/", ROOT);
const EMBEDDED = new URL("src/hub/embedded.ts", ROOT);

/**
 * Makes a bundle.
 *
 * @throws {KvbenchError} If a source is missing or the bundler fails, with what it said.
 */
export async function bundle({ entry, out }: BundleOptions): Promise<void> {
  const scratch = fileURLToPath(new URL("./.bundle/", out));
  await Deno.mkdir(scratch, { recursive: true });
  try {
    const weights = await Deno.readFile(new URL("model.safetensors", WEIGHTS));
    await Deno.writeTextFile(`${scratch}model.txt`, weights.toBase64());
    await Deno.copyFile(new URL("config.json", WEIGHTS), `${scratch}config.json`);
    await Deno.writeTextFile(`${scratch}entry.ts`, entrySource(entry));
    await runBundler(`${scratch}entry.ts`, `${scratch}bundle.js`);
    await Deno.writeTextFile(out, withoutCachePaths(await Deno.readTextFile(`${scratch}bundle.js`)));
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** Shortens the names of packages' modules, which hold the path of this machine's cache. */
function withoutCachePaths(code: string): string {
  return code.replaceAll(/(?:\.\.\/)+[^"\n]*?\/npm\/[^/"\n]+\//g, "npm/");
}

/** The module that hands the weights over before anything else runs. */
function entrySource(entry: URL): string {
  return `
    import { provideEmbedded } from ${JSON.stringify(EMBEDDED.href)};
    import { main } from ${JSON.stringify(entry.href)};
    import configJson from "./config.json" with { type: "text" };
    import weights from "./model.txt" with { type: "text" };
    export * from ${JSON.stringify(entry.href)};
    provideEmbedded({
      configJson,
      get safetensors() {
        return Uint8Array.fromBase64(weights);
      },
    });
    if (import.meta.main) await main(Deno.args);
  `;
}

async function runBundler(entry: string, out: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    // Not minified: in Deno 2.9.6 that breaks packages that require() a built-in module.
    args: ["bundle", "--quiet", `--external=${EXTERNAL}`, "--output", out, entry],
    cwd: fileURLToPath(ROOT),
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  if (success) return;
  const reason = new TextDecoder().decode(stderr).split("\n\nStack backtrace")[0]?.trim();
  throw new KvbenchError(`Cannot bundle: ${reason}`);
}

if (import.meta.main) {
  const out = new URL("dist/kvbench.js", ROOT);
  await bundle({ entry: new URL("./main.ts", import.meta.url), out });
  const { size } = await Deno.stat(out);
  console.log(`Wrote ${fileURLToPath(out)} (${(size / 1e6).toFixed(1)} MB)`);
}
