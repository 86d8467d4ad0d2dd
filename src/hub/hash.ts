/** The hashes that name files on the hub: SHA-256 of large files, Git's hash of small ones. */
import { createHash, type Hash } from "node:crypto";

/** Returns the kind of hash that an etag is, or undefined if it is not a hash: other servers name files freely. */
export function hashOf(etag: string): "sha256" | "git" | undefined {
  if (/^[0-9a-f]{64}$/.test(etag)) return "sha256";
  return /^[0-9a-f]{40}$/.test(etag) ? "git" : undefined;
}

/** Makes the hash whose digest in hex is a file's etag; undefined if that is not a hash. */
export function newHash(
  { etag, bytes }: { readonly etag: string; readonly bytes: number },
): Hash | undefined {
  const kind = hashOf(etag);
  if (kind === undefined) return undefined;
  // Git hashes a header of kind and length, then the file.
  return kind === "sha256" ? createHash("sha256") : createHash("sha1").update(`blob ${bytes}\0`);
}
