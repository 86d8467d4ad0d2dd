/**
 * What a failure leaves behind for whoever has to find its cause: where it happened, in which phase, and what was on
 * the GPU. Environment variables and secret options are left out.
 *
 * @module
 */
import {
  DeviceLostError,
  KernelError,
  KvbenchError,
  OutOfMemoryError,
  WrongResultsError,
} from "../../base/errors.ts";
import { adapterRecord } from "../../gpu/adapter.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { VERSION } from "../../base/version.ts";

/** What was under way when an error was thrown. */
interface CrashContext {
  /** In words, such as `loading weights`. */
  readonly phase: string;
  /** Where it ran, with what was on it. */
  readonly gpu: Gpu;
}

const contexts = new WeakMap<Error, { phase: string; adapter: unknown; ledger: unknown }>();

/** Notes what was under way, for {@linkcode crashReport}; the first note of an error counts. */
export function noteCrash(error: unknown, { phase, gpu }: CrashContext): void {
  if (!(error instanceof Error) || contexts.has(error)) return;
  const { current, peak, largest } = gpu.ledgerAtFailure ?? gpu.ledger.state();
  contexts.set(error, {
    phase,
    adapter: { webgpu: gpu.facts.webgpu, ...adapterRecord(gpu.facts, gpu.device) },
    ledger: { current_bytes: current, peak_bytes: peak, largest },
  });
}

/**
 * The report of an error as text, or undefined where the message says all there is: only defects and failures of the
 * GPU have one.
 */
export function crashReport(error: unknown, args: readonly string[]): string | undefined {
  const clear = error instanceof KvbenchError || error instanceof Deno.errors.NotCapable;
  const ofGpu = [DeviceLostError, OutOfMemoryError, KernelError, WrongResultsError].some((kind) =>
    error instanceof kind
  );
  if (clear && !ofGpu) return undefined;
  const { phase, adapter, ledger } = (error instanceof Error && contexts.get(error)) || {};
  const report = {
    error: error instanceof Error ? error.name : typeof error,
    phase: phase ?? "no device was open",
    kvbench: VERSION,
    deno: Deno.version.deno,
    os: Deno.build.os,
    arch: Deno.build.arch,
    command: withoutSecrets(args),
    ...(adapter !== undefined && { adapter }),
    ...(ledger !== undefined && { ledger }),
  };
  return `Crash report, for a bug report:\n${JSON.stringify(report, null, 2)}`;
}

/** Options whose values nobody may see. */
const SECRET = /^--[\w-]*(api-key|secret|password|auth)[\w-]*$/;

/** Arguments with the values of secret options replaced. */
export function withoutSecrets(args: readonly string[]): string[] {
  return args.map((arg, i) => {
    const [name = ""] = arg.split("=", 1);
    if (SECRET.test(name) && arg.includes("=")) return `${name}=…`;
    return SECRET.test(args[i - 1] ?? "") ? "…" : arg;
  });
}
