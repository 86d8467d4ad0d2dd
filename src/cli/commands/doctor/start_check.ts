/**
 * Measures a cold and a warm start in child processes: each generates one token and says when it was there. Cold means
 * that the driver's cache of compiled kernels is an empty folder, and that no kernel variants are remembered.
 */
import { formatMs } from "../../../report/units.ts";
import type { DeviceOptions } from "../../options/device_options.ts";
import { isGranted } from "../../../host/permissions.ts";

/** Command and permissions of a child process. */
const CHILD = ["generate", "Once upon a time", "--max-new-tokens", "1", "--no-autotune", "--timings"];
const FLAGS = ["--no-prompt", "--allow-read", "--allow-env", "--allow-ffi"];
/** Time-out of a child, in ms. */
const MOST_MS = 180_000;

/** Times of the starts, or the reason that they are unknown. */
export type StartCheck =
  | { readonly cold_ms: number | null; readonly warm_ms: number }
  | { readonly not_measured: string };

/** Reads the time to the first token from a child's `--timings`, in ms; undefined if it is missing. */
export function firstTokenMs(timings: string): number | undefined {
  const [, value, unit] = /^First token after ([\d.]+) (ms|s|min):/m.exec(timings) ?? [];
  if (value === undefined) return undefined;
  return Number(value) * { ms: 1, s: 1000, min: 60_000 }[unit as "ms" | "s" | "min"];
}

/**
 * Measures both. Only Mesa's cache can be put elsewhere, so that a cold start is measured on Linux alone.
 *
 * @param say Gets a line before each start.
 */
export async function checkStarts(
  { webgpu, disableFeature = [], limit = {} }: DeviceOptions,
  say: (line: string) => void,
): Promise<StartCheck> {
  const missing = missingPermissions();
  if (missing.length > 0) return { not_measured: `starting child processes needs ${missing.join(", ")}` };
  const args = [
    ...CHILD,
    ...webgpu ? ["--webgpu", webgpu] : [],
    ...disableFeature.flatMap((name) => ["--disable-feature", name]),
    ...Object.entries(limit).flatMap(([name, value]) => ["--limit", `${name}=${value}`]),
  ];
  const folder = Deno.build.os === "linux" ? await Deno.makeTempDir({ prefix: "kvbench-start-" }) : undefined;
  try {
    say("Measuring a cold start…");
    const first = await start(args, folder);
    say("Measuring a warm start…");
    const second = await start(args, folder);
    return { cold_ms: folder === undefined ? null : first, warm_ms: second };
  } catch (error) {
    return { not_measured: (error as Error).message };
  } finally {
    if (folder !== undefined) await Deno.remove(folder, { recursive: true });
  }
}

/** Says what was measured. */
export function sayStarts(check: StartCheck): { readonly cold: string; readonly warm: string } {
  if ("not_measured" in check) {
    const text = `not measured: ${check.not_measured}`;
    return { cold: text, warm: text };
  }
  const { cold_ms, warm_ms } = check;
  const after = (ms: number, what: string) => `first token after ${formatMs(ms)}, ${what}`;
  return {
    cold: cold_ms === null
      ? "not measured: this driver's cache can't be put aside"
      : after(cold_ms, "kernels compiled anew"),
    warm: after(warm_ms, "kernels compiled before"),
  };
}

function missingPermissions(): string[] {
  return (["run", "read", "write"] as const).filter((name) => !isGranted({ name })).map((name) =>
    `--allow-${name}`
  );
}

/** Starts a child and returns its time to the first token, in ms. */
async function start(args: readonly string[], cache: string | undefined): Promise<number> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...FLAGS, Deno.mainModule, ...args],
    env: cache === undefined ? {} : { MESA_SHADER_CACHE_DIR: cache },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    signal: AbortSignal.timeout(MOST_MS),
  }).output();
  const text = new TextDecoder().decode(stderr);
  const ms = firstTokenMs(text);
  if (success && ms !== undefined) return ms;
  throw new Error(`the child process failed: ${text.trim().split("\n").at(-1) || "it said nothing"}`);
}
