/**
 * Fetches one file of the hub into a cache: resumed where an earlier try broke off, verified while it streams,
 * written aside and renamed, by one process at a time.
 */
import { hashOf } from "./hash.ts";
import { failure, type HubClient, passing } from "./http.ts";
import { Lock } from "./lock.ts";
import { PartialFile } from "./partial_file.ts";
import { assertOk, type RemoteFile, tidyEtag } from "./remote_file.ts";
import { type OnRetry, retrying, type RetryOptions } from "./retry.ts";
import { KvbenchError } from "../base/errors.ts";

/** A file that is not what the hub described, possibly because it has a newer version by now. */
export class ChangedError extends KvbenchError {
  /** The file as the hub described it. */
  readonly file: RemoteFile;

  /** @param reason Difference from the description. */
  constructor(url: URL, file: RemoteFile, reason: string) {
    super(failure(url, reason).message);
    this.file = file;
  }
}

/** Events of a fetch. */
export interface FetchEvents {
  /** The embedded model's weights are about to be fetched from beside the program. */
  begin?(address: string, bytes: number): void;
  /** Bytes of a file that have come, those of an earlier try included. */
  progress?(path: string, received: number, total: number): void;
  /** Another process is fetching the file. Called repeatedly. */
  wait?(path: string): void;
  /**
   * A try failed, and there will be another.
   *
   * @internal For the displays of kvbench.
   */
  retry?: OnRetry;
}

/** Place of a file in the cache, and the way to fetch it. */
interface FetchBlobOptions {
  /** Path to write to, in an existing folder. */
  readonly blob: string;
  /** Path of the lock file. */
  readonly lock: string;
  readonly retry: RetryOptions;
  readonly events: FetchEvents;
}

/** Progress of a try that resets the count of failures. */
const PROGRESS_BYTES = 1 << 20;

/**
 * Fetches a file unless the cache has it.
 *
 * @throws {ChangedError} If the file is not what the hub described.
 * @throws {KvbenchError} If it can't be fetched, verified or written. No file has the final name then.
 */
export async function fetchBlob(
  client: HubClient,
  file: RemoteFile,
  options: FetchBlobOptions,
): Promise<void> {
  const { blob, events } = options;
  if (await isWhole(blob, file)) return;
  using _lock = await Lock.take(options.lock, () => events.wait?.(file.path));
  if (await isWhole(blob, file)) return; // another process was faster
  using partial = await PartialFile.open(blob, file);
  await retrying(
    async (progressed) => {
      const before = partial.size;
      try {
        await transfer(client, file, partial, events);
      } catch (error) {
        if (partial.size - before >= PROGRESS_BYTES) progressed();
        throw error;
      }
      await verify(client, file, partial, before > 0);
    },
    options.retry,
    events.retry,
  );
  await partial.finish(blob);
}

async function isWhole(blob: string, { bytes }: RemoteFile): Promise<boolean> {
  const info = await Deno.stat(blob).catch(() => undefined);
  return info !== undefined && info.isFile && info.size === bytes;
}

/** Fetches the missing part of a file. */
async function transfer(
  client: HubClient,
  file: RemoteFile,
  partial: PartialFile,
  events: FetchEvents,
): Promise<void> {
  const url = client.fileUrl(file);
  events.progress?.(file.path, partial.size, file.bytes);
  if (partial.size === file.bytes && file.bytes > 0) return;
  const validator = partial.size > 0 ? await partial.validator() : undefined;
  const answer = await client.send(url, {
    headers: {
      ...(partial.size > 0 && { range: `bytes=${partial.size}-` }),
      ...(validator !== undefined && { "if-range": validator }),
    },
  });
  try {
    const { response, headers } = answer;
    assertUnchanged(url, file, headers);
    if (response.status === 416) {
      await partial.restart();
      throw passing(url, "the server can't go on where it broke off");
    }
    assertOk(url, response);
    if (partial.size > 0 && !continues(response, partial.size, file.bytes)) {
      await partial.restart();
      // An answer with the whole file is read from its beginning.
      if (response.status === 206) throw passing(url, "the server went on elsewhere than where it broke off");
    }
    const length = response.headers.get("content-length");
    if (length !== null && Number(length) !== file.bytes - partial.size) {
      const expected = `expected ${file.bytes - partial.size} of its ${file.bytes}`;
      throw new ChangedError(url, file, `the server sends ${length} bytes, ${expected}`);
    }
    await partial.remember(response.headers.get("etag"));
    for await (const piece of answer.pieces()) {
      if (partial.size + piece.length > file.bytes) {
        await partial.discard();
        throw failure(url, `the server sent more than its ${file.bytes} bytes`);
      }
      await partial.append(piece);
      events.progress?.(file.path, partial.size, file.bytes);
    }
  } finally {
    await answer.cancel();
  }
  if (partial.size < file.bytes) throw passing(url, `it ended after ${partial.size} of ${file.bytes} bytes`);
}

/** Tells whether an answer holds the rest of the file from `offset` on. */
function continues({ status, headers }: Response, offset: number, bytes: number): boolean {
  if (status !== 206) return false;
  const range = headers.get("content-range")?.match(/^bytes (\d+)-(\d+)\/(\d+|\*)$/);
  return range !== undefined && range !== null && Number(range[1]) === offset &&
    Number(range[2]) === bytes - 1;
}

function assertUnchanged(url: URL, file: RemoteFile, answers: readonly Headers[]): void {
  for (const headers of answers) {
    const etag = tidyEtag(headers.get("x-linked-etag")) ?? file.etag;
    const commit = headers.get("x-repo-commit") ?? file.commit;
    const [now, before] = etag === file.etag ? [commit, file.commit] : [etag, file.etag];
    if (now !== before) {
      throw new ChangedError(url, file, `the hub's version is ${now} now and was ${before} before`);
    }
  }
}

/** Compares the hash. A wrong part of an earlier try may be the cause; the file is then fetched anew, once. */
async function verify(
  client: HubClient,
  file: RemoteFile,
  partial: PartialFile,
  resumed: boolean,
): Promise<void> {
  const found = partial.digest();
  if (found === undefined || found === file.etag) return;
  const url = client.fileUrl(file);
  const kind = hashOf(file.etag) === "git" ? "Git hash" : "SHA-256";
  const reason = `its ${kind} is ${found}, the hub promises ${file.etag}`;
  if (resumed) {
    await partial.restart();
    throw passing(url, reason);
  }
  await partial.discard();
  throw new ChangedError(url, file, reason);
}
