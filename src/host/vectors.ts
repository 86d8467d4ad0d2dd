/**
 * The width of the vectors with which Mesa's software driver computes.
 *
 * @module
 */
import { isGranted } from "./permissions.ts";
import { askedBackends, variable } from "./variables.ts";

/** The variable for the bits of a vector, which Mesa reads at a process's first adapter request. */
export const VECTORS_VARIABLE = "LP_NATIVE_VECTOR_WIDTH";
/** Bits that are more than Mesa takes by itself. */
const WIDE = 512;
/** Parts of AVX-512 that vectors of all types need. */
const NEEDED = ["avx512f", "avx512bw", "avx512dq", "avx512vl"];

/** Tells whether a CPU computes with vectors of 512 bits, from the text of Linux's `/proc/cpuinfo`. */
export function hasWideVectors(cpuinfo: string): boolean {
  const flags = cpuinfo.match(/^flags\s*:(.*)$/m)?.[1]?.split(" ") ?? [];
  return NEEDED.every((flag) => flags.includes(flag));
}

/**
 * Has Mesa's driver for Vulkan compute with vectors of 512 bits where the CPU has them, nobody has said how many, and the
 * variable may be set. OpenGL's has no subgroups that would tell kernels of them.
 */
export function widenVectors(): void {
  if (Deno.build.os !== "linux" || askedBackends() === "gl") return;
  if (!isGranted({ name: "env", variable: VECTORS_VARIABLE }) || variable(VECTORS_VARIABLE) !== undefined) {
    return;
  }
  if (hasWideVectors(cpuinfo())) Deno.env.set(VECTORS_VARIABLE, `${WIDE}`);
}

function cpuinfo(): string {
  const path = "/proc/cpuinfo";
  if (!isGranted({ name: "read", path })) return "";
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return ""; // Deno 2.9 keeps it for --allow-all
  }
}
