/**
 * The report of a failure for those who look for its cause: platform, phase, adapter, and the memory on the GPU. It holds
 * no environment variables and no secret options.
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

interface CrashContext {
  /** Phase of the program, such as `loading weights`. */
  readonly phase: string;
  readonly gpu: Gpu;
}

const contexts = new WeakMap<Error, { phase: string; adapter: unknown; ledger: unknown }>();

/** Notes the circumstances of an error for {@linkcode crashReport}; the first note counts. */
export function noteCrash(error: unknown, { phase, gpu }: CrashContext): void {
  if (!(error instanceof Error) || contexts.has(error)) return;
  const { current, peak, largest } = gpu.ledgerAtFailure ?? gpu.ledger.state();
  contexts.set(error, {
    phase,
    adapter: { webgpu: gpu.facts.webgpu, ...adapterRecord(gpu.facts, gpu.device) },
    ledger: { current_bytes: current, peak_bytes: peak, largest },
  });
}

/** Formats the report of a defect or of a failure of the GPU; undefined for other errors, whose message suffices. */
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

const SECRET = /^--[\w-]*(api-key|secret|password|auth)[\w-]*$/;

/** Replaces the values of secret options in arguments. */
export function withoutSecrets(args: readonly string[]): string[] {
  return args.map((arg, i) => {
    const [name = ""] = arg.split("=", 1);
    if (SECRET.test(name) && arg.includes("=")) return `${name}=…`;
    return SECRET.test(args[i - 1] ?? "") ? "…" : arg;
  });
}
