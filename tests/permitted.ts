/**
 * Lets tests state the permissions they need, so that a plain `deno test`, which has none, reports them as
 * ignored and passes. `deno task test` grants them all and ignores nothing.
 *
 * @module
 */

/** Whether every one of these permissions is granted. Never prompts. */
export function permitted(...names: Deno.PermissionName[]): boolean {
  return names.every((name) => Deno.permissions.querySync({ name }).state === "granted");
}
