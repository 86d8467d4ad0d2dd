/**
 * Fetches one file of the hub into a cache: resumed where an earlier try broke off, verified while it streams,
 * written aside and renamed, by one process at a time.
 *
 * @module
 */
import { hashOf } from "./hash.ts";
import { failure, type HubClient, passing } from "./http.ts";
import { Lock } from "./lock.ts";
import { PartialFile } from "./partial_file.ts";
import { assertOk, type RemoteFile, tidyEtag } from "./remote_file.ts";
import { type OnRetry, retrying, type RetryOptions } from "./retry.ts";
import { KvbenchError } from "../base/errors.ts";

/** What came isn't what the hub described: it may have got another version in the meantime. */
export class ChangedError extends KvbenchError {
  /** The file as the hub described it. */
  readonly file: RemoteFile;

  /**
   * @param url Its address.
   * @param file The file as the hub described it.
   * @param reason What is wrong.
   */
  constructor(url: URL, file: RemoteFile, reason: string) {
    super(failure(url, reason).message);
    this.file = file;
  }
}

/** What a fetch tells as it goes. */
export interface FetchEvents {
  /** The embedded model's weights are fetched from beside the program. Called once, before that. */
  begin?(address: string, bytes: number): void;
  /** Bytes of a file that are there; from the start, what an earlier try has left. */
  progress?(path: string, received: number, total: number): void;
  /** Another process fetches the file. Called again and again. */
  wait?(path: string): void;
  /**
   * A try failed, and there will be another.
   *
   * @internal For the displays of kvbench.
   */
  retry?: OnRetry;
}

/** Where to put the file, and how to go about it. */
export interface FetchBlobOptions {
  /** The file to write. Its folder is there. */
  readonly blob: string;
  /** The file to lock. */
  readonly lock: string;
  readonly retry: RetryOptions;
  readonly events: FetchEvents;
}

/** A try that got this much further counts as a success, after which as many may fail as at the start. */
const PROGRESS_BYTES = 1 << 20;

/**
 * Fetches a file unless it is there.
 *
 * @throws {ChangedError} If what comes isn't what the hub described.
 * @throws {KvbenchError} If it can't be fetched, verified or written. Then nothing has the final name.
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

/** Fetches what is missing. */
async function transfer(
  client: HubClient,
  file: RemoteFile,
  partial: PartialFile,
  events: FetchEvents,
): Promise<void> {
  const url = client.fileUrl(file.repository, file.path);
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
      // With the whole file in the answer, it begins anew from here.
      if (response.status === 206) throw passing(url, "the server went on elsewhere than where it broke off");
    }
    const length = response.headers.get("content-length");
    if (length !== null && Number(length) !== file.bytes - partial.size) {
      const wanted = `wanted ${file.bytes - partial.size} of its ${file.bytes}`;
      throw new ChangedError(url, file, `the server sends ${length} bytes, ${wanted}`);
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

/** Whether an answer is the rest of the file from `offset` on. */
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

/** Compares the hash. A part that an earlier try has left may be of another file: then there is one more try. */
async function verify(
  client: HubClient,
  file: RemoteFile,
  partial: PartialFile,
  resumed: boolean,
): Promise<void> {
  const found = partial.digest();
  if (found === undefined || found === file.etag) return;
  const url = client.fileUrl(file.repository, file.path);
  const kind = hashOf(file.etag) === "git" ? "Git hash" : "SHA-256";
  const reason = `its ${kind} is ${found}, the hub promises ${file.etag}`;
  if (resumed) {
    await partial.restart();
    throw passing(url, reason);
  }
  await partial.discard();
  throw new ChangedError(url, file, reason);
}
