/**
 * Chart.js, a native canvas and a font, which draw charts. They are loaded when the first chart is drawn, because a
 * native canvas needs permissions that nothing else needs. This file owns those and the font; it draws nothing.
 */
import { Buffer } from "node:buffer";
import { KvbenchError } from "../base/errors.ts";
import { isGranted } from "../host/permissions.ts";

type ChartJs = typeof import("npm:chart.js@4.6.1");
type NapiCanvas = typeof import("npm:@napi-rs/canvas@1.0.11");

/** Family name under which the bundled font (Inter, Latin, 400 and 600) is registered. */
export const FONT_FAMILY = "Kvbench Inter";

/** Chart.js with the parts that charts use, and the canvas that it draws on. */
export interface CanvasKit extends Pick<ChartJs, "Chart">, Pick<NapiCanvas, "createCanvas"> {}

/** Variables that @napi-rs/canvas must be allowed to read while it loads. */
const ENV = ["DISABLE_SYSTEM_FONTS_LOAD", "NAPI_RS_FORCE_WASI", "NAPI_RS_NATIVE_LIBRARY_PATH"] as const;

/**
 * The package with the canvas, which Deno fetches when it is first imported. Typed as a string, since Deno fetches a
 * literal import at the start.
 */
export const CANVAS_PACKAGE: string = "npm:@napi-rs/canvas@1.0.11";

/** File that tells glibc from musl on Linux; without it the loader needs far more permissions. */
const LDD = "/usr/bin/ldd";

/**
 * Lists the permission flags that drawing needs and this process lacks, such as `--allow-ffi`. Never prompts.
 */
export function chartPermissions(): string[] {
  const variables = ENV.filter((variable) => !isGranted({ name: "env", variable }));
  const reads = Deno.build.os !== "linux" || isGranted({ name: "read", path: LDD });
  return [
    ...(isGranted({ name: "ffi" }) ? [] : ["--allow-ffi"]),
    ...(reads ? [] : [`--allow-read=${LDD}`]),
    ...(variables.length === 0 ? [] : [`--allow-env=${variables.join(",")}`]),
  ];
}

let kit: Promise<CanvasKit> | undefined;

/**
 * Loads Chart.js, the canvas and the font, once per process.
 *
 * @throws {KvbenchError} If a permission is missing, or the canvas has no build for this machine.
 */
export async function loadCanvas(): Promise<CanvasKit> {
  const missing = chartPermissions();
  if (missing.length > 0) throw new KvbenchError(`Cannot draw charts without ${missing.join(" ")}`);
  kit ??= load();
  return await kit;
}

async function load(): Promise<CanvasKit> {
  const { Chart } = await import("./figures/registered_chart.ts");
  const { createCanvas, GlobalFonts } = await importCanvas();
  // Base64 in a text module, because it is the one kind of asset that needs no flag and no permission, comes along
  // when mod.ts is run over HTTP, and is kept by bundlers. A machine without fonts would get charts without text.
  const fonts = [
    await import("./fonts/inter_latin_400.woff2.base64.txt", { with: { type: "text" } }),
    await import("./fonts/inter_latin_600.woff2.base64.txt", { with: { type: "text" } }),
  ];
  for (const { default: base64 } of fonts) {
    if (GlobalFonts.register(Buffer.from(base64, "base64"), FONT_FAMILY) === null) {
      throw new KvbenchError("Cannot draw charts: the canvas refused the bundled font");
    }
  }
  return { Chart, createCanvas };
}

/** Imports the canvas without the system's fonts, so that a chart looks the same everywhere. */
async function importCanvas(): Promise<NapiCanvas> {
  const [variable] = ENV;
  const before = Deno.env.get(variable);
  Deno.env.set(variable, "1"); // this also spares it the permission --allow-sys=homedir
  try {
    return await import(CANVAS_PACKAGE);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new KvbenchError(`Cannot load @napi-rs/canvas, which draws charts: ${reason}`, { cause: error });
  } finally {
    if (before === undefined) Deno.env.delete(variable);
    else Deno.env.set(variable, before);
  }
}
