/**
 * The adapters that each backend gives, found by asking child processes: DENO_WEBGPU_BACKEND is read at a process's
 * first request, so that one process can try one backend. Imports no package, since set-up needs it.
 */
import { BACKEND_VARIABLE, backendsOn, type KnownBackend } from "../../gpu/backend.ts";
import { type AdapterIdentity, type AdapterInfo, identityOf } from "../../gpu/identity.ts";
import { variable } from "../../host/variables.ts";
import { isGranted } from "../../host/permissions.ts";

/** An adapter, and the backend that gives it. */
export interface FoundAdapter extends AdapterIdentity {
  readonly backend: KnownBackend;
}

/** Script of a child process. It imports no file of this program, which may be a bundle or come from a server. */
const ASK = `
const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
const { vendor, architecture, device, description, isFallbackAdapter } = adapter?.info ?? {};
console.log(JSON.stringify(adapter ? { vendor, architecture, device, description, isFallbackAdapter } : null));
Deno.exit(0);
`;

/** Time-out of a driver, in ms; it then counts as absent. */
const PATIENCE_MS = 10_000;

/** Tells whether child processes may be asked. Never prompts. */
export function mayAskBackends(): boolean {
  return programOf() !== undefined;
}

/** Returns this Deno's path or name, whichever there is permission to run. */
function programOf(): string | undefined {
  return [Deno.execPath(), "deno"].find((command) => isGranted({ name: "run", command }));
}

/**
 * Asks backends side by side, each in a process of its own.
 *
 * @param backends Default: those of this operating system.
 * @returns The adapters in WebGPU's order of preference. Empty if no child may be started.
 */
export async function askBackends(
  backends: readonly KnownBackend[] = backendsOn(Deno.build.os),
): Promise<FoundAdapter[]> {
  const found = await Promise.all(backends.map(askBackend));
  return found.filter((adapter) => adapter !== undefined);
}

async function askBackend(backend: KnownBackend): Promise<FoundAdapter | undefined> {
  const program = programOf();
  if (program === undefined) return undefined;
  const child = new Deno.Command(program, {
    args: ["eval", "--no-config", "--no-lock", "--no-remote", ASK],
    env: { [BACKEND_VARIABLE]: backend, ...runtimeFolder() },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const { success, stdout } = await child.output();
  if (!success) return undefined;
  const info: AdapterInfo | null = JSON.parse(new TextDecoder().decode(stdout));
  return info === null ? undefined : { backend, ...identityOf(info) };
}

/** Mesa's loader complains where XDG_RUNTIME_DIR is unset. */
function runtimeFolder(): Record<string, string> {
  const known = variable("XDG_RUNTIME_DIR");
  return Deno.build.os === "linux" && !known ? { XDG_RUNTIME_DIR: "/tmp" } : {};
}
