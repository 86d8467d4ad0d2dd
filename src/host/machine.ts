/**
 * The runtime and the machine, as results record them. A fact that needs a permission that isn't granted is null;
 * nothing is asked for.
 */
import { fileURLToPath } from "node:url";
import { HOME, IS_BUNDLE } from "../base/home.ts";
import type { MachineFacts } from "../measure/record/environment.ts";
import { isGranted } from "./permissions.ts";

/** Describes the runtime, the machine and the checkout that runs. */
export async function machineFacts(): Promise<MachineFacts> {
  return {
    git_commit: IS_BUNDLE ? null : await gitCommit(HOME),
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    typescript: Deno.version.typescript,
    os: Deno.build.os,
    os_release: isGranted({ name: "sys", kind: "osRelease" }) ? Deno.osRelease() : null,
    arch: Deno.build.arch,
    cpu: { model: await cpuModel(), cores: navigator.hardwareConcurrency },
    load_average: isGranted({ name: "sys", kind: "loadavg" }) ? Deno.loadavg() : null,
  };
}

/** Text of a file, or null where there is none or it may not be read. */
async function readIfPermitted(path: string): Promise<string | null> {
  if (!isGranted({ name: "read", path })) return null;
  return await Deno.readTextFile(path).catch(() => null);
}

/**
 * Returns the commit that is checked out at `root`, from git's own files (gitrepository-layout(5)), or null where `root` is
 * no checkout or may not be read.
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

/** The CPU's name where the system tells it and may be asked. */
async function cpuModel(): Promise<string | null> {
  if (Deno.build.os !== "linux") return null;
  return (await readIfPermitted("/proc/cpuinfo"))?.match(/^model name\s*:\s*(.+)$/m)?.[1] ?? null;
}
