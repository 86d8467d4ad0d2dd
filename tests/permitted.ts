/**
 * Lets tests state the permissions they need, so that a plain `deno test`, which has none, reports them as
 * ignored and passes. `deno task test` grants them all and ignores nothing.
 *
 * @module
 */

/** Whether every one of these permissions is granted; of the network, loopback is enough. Never prompts. */
export function permitted(...names: Deno.PermissionName[]): boolean {
  return names.every((name) => {
    const descriptor = name === "net" ? { name, host: "127.0.0.1" } as const : { name };
    return Deno.permissions.querySync(descriptor).state === "granted";
  });
}
