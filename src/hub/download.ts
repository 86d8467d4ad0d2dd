/**
 * Downloads files whose length and hash are known, and keeps them in the Web Cache, which needs no permission.
 * Only a complete and correct file is ever kept or returned.
 */
import { KvbenchError, reasonOf } from "../base/errors.ts";
import { openWebCache } from "../base/web_cache.ts";
import { explained, failure, passing } from "./http.ts";
import { type OnRetry, RETRY, retrying, type RetryOptions } from "./retry.ts";

/** A file on a server. */
export interface PinnedFile {
  /** Its address, without a query. */
  readonly url: URL;
  readonly bytes: number;
  /** SHA-256 of its bytes, in hexadecimal. */
  readonly sha256: string;
}

/** Events of a download; a cached file causes none. */
interface DownloadEvents {
  /** Called before the server is asked. */
  onDownload?(file: PinnedFile): void;
  /** Called as bytes arrive. */
  onProgress?(receivedBytes: number, totalBytes: number): void;
  /** Called before another try. */
  onRetry?: OnRetry | undefined;
}

/** Options of {@linkcode download}. */
export interface DownloadOptions extends DownloadEvents {
  /** Default: as the hub's files are. */
  readonly retry?: RetryOptions;
}

/** The name of the Web Cache that keeps downloads. */
export const CACHE_NAME = "kvbench-weights";

/**
 * Returns a file's bytes, from the cache or else from the server, which is asked again where it fails for a while.
 *
 * @throws {KvbenchError} If the server can't be reached, or sends anything but the file.
 */
export async function download(
  file: PinnedFile,
  { retry = RETRY, ...events }: DownloadOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const cache = await openWebCache(CACHE_NAME);
  const cached = await cache?.match(cacheKey(file)).catch(() => undefined);
  if (cached !== undefined) {
    const bytes = new Uint8Array(await cached.arrayBuffer());
    if (await sha256(bytes) === file.sha256) return bytes;
  }
  events.onDownload?.(file);
  const bytes = await retrying(() => fetchFile(file, events), retry, events.onRetry);
  if (await sha256(bytes) !== file.sha256) {
    throw failure(file.url, `its SHA-256 is not ${file.sha256}, the server has another version of the file`);
  }
  // A full disk costs the next run a download and this one nothing.
  await cache?.put(cacheKey(file), new Response(bytes)).catch(() => {});
  return bytes;
}

/** Returns a file's key in the cache; it holds the hash, so that a new version of a file is a new entry. */
export function cacheKey({ url, sha256 }: PinnedFile): string {
  return `${url.href}?sha256=${sha256}`;
}

/** Request timeout and too many requests. */
const PASSING_STATUS = [408, 429];

async function fetchFile(file: PinnedFile, events: DownloadEvents): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(file.url).catch((error: unknown) => {
    throw explained(file.url, file.url, error);
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    const answer = `the server answered ${response.status} ${response.statusText}`.trim();
    if (PASSING_STATUS.includes(response.status) || response.status >= 500) throw passing(file.url, answer);
    throw failure(
      file.url,
      response.status === 404 ? `${answer}, expected weights/ beside the program` : answer,
    );
  }
  const bytes = new Uint8Array(file.bytes);
  let received = 0;
  try {
    for await (const chunk of response.body) {
      if (received + chunk.length > file.bytes) {
        throw failure(file.url, `the server sent more than its ${file.bytes} bytes`);
      }
      bytes.set(chunk, received);
      received += chunk.length;
      events.onProgress?.(received, file.bytes);
    }
  } catch (error) {
    if (error instanceof KvbenchError) throw error;
    throw passing(file.url, `it broke off after ${received} of ${file.bytes} bytes (${reasonOf(error)})`);
  }
  if (received < file.bytes) {
    throw passing(file.url, `it ended after ${received} of ${file.bytes} bytes`);
  }
  return bytes;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
