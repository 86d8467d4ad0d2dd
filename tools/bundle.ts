/**
 * The single-file build: `kvbench.js` does everything that `mod.ts` does, from a path or from any web server, and the
 * embedded model's files lie in `weights/` beside it. Kernels, fonts and packages are inlined. Only packages of native
 * code can't be part of a script: one that draws charts, and Dawn. The same sources give the same bytes, wherever and
 * whenever they are bundled.
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { KvbenchError } from "../src/base/errors.ts";
import { EMBEDDED_FILES } from "../src/hub/embedded.ts";
import { run } from "./command.ts";

/** The content of a bundle and its place. */
interface BundleOptions {
  /** The module that the bundle runs, and whose exports are the bundle's. Default: `mod.ts` with `extend.ts`. */
  readonly entry?: URL;
  /** The folder to write to, as an address that ends with a slash. It is made where it is missing. */
  readonly folder: URL;
}

/** Name of the file that is run. */
export const BUNDLE_NAME = "kvbench.js";

/**
 * Modules that others take the place of: a package that a checkout fetches when it needs it is a part of the bundle, which
 * is one file wherever it runs.
 */
const REPLACED = { "src/checkpoint/tokenizers_package.ts": "tools/bundled_tokenizers.ts" };

/** Package that is loaded at run time, since it is native code. */
const EXTERNAL = "npm:@napi-rs/canvas*";

const ROOT = new URL("../", import.meta.url);
const ENTRY = new URL("tools/bundle_entry.ts", ROOT);
/** The embedded model's files, below the root and below the bundle's folder. */
const WEIGHTS = "weights/tiny/";

/**
 * Makes a bundle.
 *
 * @returns The paths that were written.
 * @throws {KvbenchError} If a source is missing or the bundler fails, with what it said.
 */
export async function bundle({ entry = ENTRY, folder }: BundleOptions): Promise<string[]> {
  const out = fileURLToPath(new URL(BUNDLE_NAME, folder));
  const aside = out.replace(/\.js$/, `.${crypto.randomUUID()}.js`); // the bundler looks at the extension
  await Deno.mkdir(fileURLToPath(folder), { recursive: true });
  try {
    await runBundler(fileURLToPath(entry), aside);
    await Deno.writeTextFile(aside, portable(await Deno.readTextFile(aside)));
    await Deno.rename(aside, out);
  } finally {
    await Deno.remove(aside).catch(() => {}); // it is not there after a success
  }
  const written = [out];
  for (const name of Object.keys(EMBEDDED_FILES)) {
    const path = fileURLToPath(new URL(`${WEIGHTS}${name}`, folder));
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.copyFile(new URL(`${WEIGHTS}${name}`, ROOT), path);
    written.push(path);
  }
  return written;
}

/** The line by which the bundler lets CommonJS packages require built-in modules. It only takes a file's address. */
const REQUIRE = "__deno_internal_createRequire(import.meta.url)";
/** No package requires a file, so that any address will do, also where the bundle runs from a server. */
const PORTABLE_REQUIRE =
  '__deno_internal_createRequire(Deno.build.os === "windows" ? "file:///C:/" : "file:///")';

/**
 * Takes out of a bundle what depends on the place where it was made or runs.
 *
 * @throws {KvbenchError} If the bundler's output isn't what this knows.
 */
function portable(code: string): string {
  if (code.split(REQUIRE).length !== 2) {
    throw new KvbenchError(
      `Cannot bundle: expected ${REQUIRE} once in what deno bundle ${Deno.version.deno} makes`,
    );
  }
  const files = [...code.matchAll(/\b__require\("(?!node:)([^"]*)"\)/g)].map(([, name]) => name);
  if (files.length > 0) {
    throw new KvbenchError(
      `Cannot bundle: packages require ${files.join(", ")}, expected built-in modules alone`,
    );
  }
  return code.replace(REQUIRE, PORTABLE_REQUIRE)
    // Modules are called by their paths: those of packages begin in this machine's cache.
    .replaceAll(/(?<=^\/\/ |^ *")[^"\n]*\/npm\/[^/"\n]+\/(?=[^"\n]*"?(?:\(|$))/gm, "npm/");
}

async function runBundler(entry: string, out: string): Promise<void> {
  const imports = Object.entries(REPLACED).map((pair) => pair.map((path) => new URL(path, ROOT).href));
  const map = `data:application/json,${
    encodeURIComponent(JSON.stringify({ imports: Object.fromEntries(imports) }))
  }`;
  // Not minified: in Deno 2.9.6 that breaks packages that require() a built-in module.
  const args = ["bundle", "--quiet", `--external=${EXTERNAL}`, `--import-map=${map}`, "--output", out, entry];
  const { success, stderr } = await run(Deno.execPath(), args, { env: { NO_COLOR: "1" } });
  if (success) return;
  const reason = stderr.split("\n\nStack backtrace")[0]?.trim();
  throw new KvbenchError(`Cannot bundle ${entry}: ${reason}`);
}

if (import.meta.main) {
  const folder = new URL("dist/", ROOT);
  for (const path of await bundle({ folder })) {
    const { size } = await Deno.stat(path);
    console.log(`Wrote ${path} (${(size / 1e6).toFixed(1)} MB)`);
  }
}
