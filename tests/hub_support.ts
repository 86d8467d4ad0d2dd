/** What tests of a hub that misbehaves share: faults in its answers, and what a fetch leaves in the cache. */
import assert from "node:assert/strict";
import { KvbenchError } from "../src/base/errors.ts";
import type { Snapshot } from "../src/hub/cache.ts";
import { Hub } from "../src/hub/hub.ts";
import type { RetryOptions } from "../src/hub/retry.ts";
import { type Fault, MODEL, smallModel, type TestHub } from "./fixtures/hub.ts";
import { permitted } from "./permitted.ts";

/** Whether tests of the hub must be left out. */
export const ignore = !permitted("read", "write", "net");

/** The weights as they are. */
export const CONTENT = ignore ? new Uint8Array() : (await smallModel())["model.safetensors"]!;
/** Their bytes. */
export const LENGTH = CONTENT.length;

/** Their file. */
export const WEIGHTS = "model.safetensors";

/** As the default, but quick. */
const RETRY: RetryOptions = { tries: 3, firstPauseMs: 5, maxPauseMs: 200 };

interface FetchTestOptions {
  readonly token?: string;
  readonly timeoutMs?: number;
  readonly onRetry?: (reason: string) => void;
}

/** Fetches the model into a cache. */
export function fetchModel(
  hub: TestHub,
  cache: string,
  { onRetry, ...rest }: FetchTestOptions = {},
): Promise<Snapshot> {
  const events = { retry: (reason: string) => onRetry?.(reason) };
  return new Hub(hub.settings(cache, rest)).fetch(MODEL, { retry: RETRY, events });
}

/** What has its final name in the cache: contents by hash, and what snapshots show. */
export async function finals(cache: string): Promise<string[]> {
  const names: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await walk(`${folder}/${name}`);
      else if (!/\.(incomplete|etag|lock)$/.test(name)) names.push(`${folder.slice(cache.length)}/${name}`);
    }
  };
  await walk(cache);
  return names.sort();
}

/** Checks that a fetch fails with one line, which gives no secret away. */
export async function assertFails(fetching: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(fetching, (error: unknown) => {
    assert.ok(error instanceof KvbenchError, String(error));
    assert.match(error.message, message);
    assert.ok(!error.message.includes("\n") && !error.message.includes("secret"), error.message);
    return true;
  });
}

/** A fault in the answers about one file, of one method. */
export function on(file: string, method: "GET" | "HEAD", fault: Fault): Fault {
  return (seen, answer) => seen.file === file && seen.method === method ? fault(seen, answer) : answer();
}

/** A fault in the content of the weights, each time or as long as `times` says. */
export function onContent(fault: Fault, times = Infinity): Fault {
  let count = 0;
  return (seen, answer) => {
    const isContent = seen.file === WEIGHTS && seen.method === "GET" && seen.host === "store";
    return isContent && count++ < times ? fault(seen, answer) : answer();
  };
}

/** `response` with other headers; one that is null is left out. */
export function withHeaders(response: Response, changes: Record<string, string | null>): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) headers.delete(name);
    else headers.set(name, value);
  }
  return new Response(response.body, { status: response.status, headers });
}

/** An answer of this status. */
export const status = (code: number, headers: Record<string, string> = {}): Fault => () =>
  new Response("<html>\nnot for users</html>", { status: code, headers });
