/**
 * The hashes that name files on the hub: SHA-256 of large files, Git's hash of small ones.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";

/** The kind of hash that an etag is, or undefined where it is none: other servers name files as they like. */
export function hashOf(etag: string): "sha256" | "git" | undefined {
  if (/^[0-9a-f]{64}$/.test(etag)) return "sha256";
  return /^[0-9a-f]{40}$/.test(etag) ? "git" : undefined;
}

/** A hash to feed a file of this length to, which gives its etag in hex; undefined where that is no hash. */
export function newHash(
  { etag, bytes }: { readonly etag: string; readonly bytes: number },
): Hash | undefined {
  const kind = hashOf(etag);
  if (kind === undefined) return undefined;
  // Git hashes a file behind its kind and length.
  return kind === "sha256" ? createHash("sha256") : createHash("sha1").update(`blob ${bytes}\0`);
}
