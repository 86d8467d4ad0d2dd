/**
 * The environment of a measurement: runtime, machine, adapter and kernels. Facts that need a permission which is not
 * granted are left unknown; nothing is asked for.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { HOME, IS_BUNDLE } from "../../base/home.ts";
import { VERSION } from "../../base/version.ts";
import { adapterRecord } from "../../gpu/adapter.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { readbackMs } from "../../gpu/readback.ts";
import { KERNELS_TEXT } from "../../model/gpt2.ts";
import type { Tuning } from "../../model/tuning.ts";
import type { Environment } from "./environment_schema.ts";

/** Describes the environment of a run. Measures the fence and the readback. */
export async function describeEnvironment(gpu: Gpu, tuning: Tuning): Promise<Environment> {
  const limits: Record<string, number> = {};
  for (const name of Object.keys(gpu.facts.limits)) {
    limits[name] = gpu.device.limits[name as keyof GPUSupportedLimits] as number;
  }
  return {
    kvbench: VERSION,
    git_commit: IS_BUNDLE ? null : await gitCommit(HOME),
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    typescript: Deno.version.typescript,
    webgpu: gpu.facts.webgpu,
    os: Deno.build.os,
    os_release: await granted({ name: "sys", kind: "osRelease" }) ? Deno.osRelease() : null,
    arch: Deno.build.arch,
    cpu: { model: await cpuModel(), cores: navigator.hardwareConcurrency },
    load_average: await granted({ name: "sys", kind: "loadavg" }) ? Deno.loadavg() : null,
    adapter: { ...adapterRecord(gpu.facts, gpu.device), limits },
    kernels_sha256: await sha256(KERNELS_TEXT),
    tuning: Object.fromEntries(Object.entries(tuning).map(([key, value]) => [key, plain(value)])),
    fence: {
      blocks: gpu.fence.blocks,
      cost_us: await gpu.fence.costMs() * 1000,
      readback_ms: await readbackMs(gpu),
    },
  };
}

async function granted(descriptor: Deno.PermissionDescriptor): Promise<boolean> {
  return (await Deno.permissions.query(descriptor)).state === "granted";
}

/** Reads a file, or returns null where there is none or it may not be read. */
async function readIfPermitted(path: string): Promise<string | null> {
  if (!await granted({ name: "read", path })) return null;
  return await Deno.readTextFile(path).catch(() => null);
}

/**
 * Returns the commit that is checked out at `root`, from git's own files (gitrepository-layout(5)), or null where
 * `root` is no checkout or may not be read.
 */
export async function gitCommit(root: URL): Promise<string | null> {
  if (root.protocol !== "file:") return null;
  const git = fileURLToPath(new URL(".git", root));
  const pointer = await readIfPermitted(git); // a file in a linked worktree
  const folder = pointer?.match(/^gitdir: (.+)$/m)?.[1] ?? git;
  const head = (await readIfPermitted(`${folder}/HEAD`))?.trim();
  if (head === undefined) return null;
  const ref = head.match(/^ref: (.+)$/)?.[1];
  if (ref === undefined) return COMMIT.test(head) ? head : null;
  const common = (await readIfPermitted(`${folder}/commondir`))?.trim();
  const shared = common === undefined ? folder : common.startsWith("/") ? common : `${folder}/${common}`;
  const loose = (await readIfPermitted(`${shared}/${ref}`))?.trim();
  if (loose !== undefined) return COMMIT.test(loose) ? loose : null;
  const packed = await readIfPermitted(`${shared}/packed-refs`) ?? "";
  return packed.split("\n").find((line) => line.endsWith(` ${ref}`))?.split(" ")[0] ?? null;
}

const COMMIT = /^[0-9a-f]{40,64}$/;

function plain(value: string | number | boolean | readonly number[]): string | number | boolean {
  return typeof value === "object" ? value.join(",") : value;
}

/** Returns the CPU's name where the system tells it and may be asked. */
async function cpuModel(): Promise<string | null> {
  if (Deno.build.os !== "linux") return null;
  return (await readIfPermitted("/proc/cpuinfo"))?.match(/^model name\s*:\s*(.+)$/m)?.[1] ?? null;
}

async function sha256(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex();
}
