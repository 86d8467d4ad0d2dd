/** Permissions that this process has. Never prompts. Imports nothing, since set-up needs it. */

/** Tells whether a permission is granted. */
export function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}
