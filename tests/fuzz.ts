/**
 * How long random tests go on: as long as every test run can afford, or `KVBENCH_FUZZ` times as long.
 *
 * @module
 */

/** Runs of a property, multiplied by the variable's value where it is set and may be read. */
export function runs(few: number): number {
  const permission = { name: "env", variable: "KVBENCH_FUZZ" } as const;
  const granted = Deno.permissions.querySync(permission).state === "granted";
  return few * Math.max(1, Number(granted ? Deno.env.get("KVBENCH_FUZZ") : 1) || 1);
}
