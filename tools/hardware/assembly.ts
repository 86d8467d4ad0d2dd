/**
 * Reading of the instructions that Mesa's compiler for AMD shows.
 *
 * @module
 */

const LOAD = /^\s*(buffer|global|image|flat)_load/;
const WAIT = /^\s*s_waitcnt\b.*\bvmcnt\((\d+)\)/, WAIT_ALL = /^\s*s_waitcnt_vmcnt\b.*(0x[0-9a-f]+|\d+)/;

/** Counts the vector loads that are under way at once, at most: a wait leaves as many as it names. */
export function loadsInFlight(assembly: string): number {
  let underWay = 0, most = 0;
  for (const line of assembly.split("\n")) {
    if (LOAD.test(line)) most = Math.max(most, ++underWay);
    const left = WAIT.exec(line)?.[1] ?? WAIT_ALL.exec(line)?.[1];
    if (left !== undefined) underWay = Math.min(underWay, Number(left));
  }
  return most;
}
