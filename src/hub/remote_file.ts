/**
 * A file on the hub as the hub describes it before it is fetched: commit, length and hash.
 *
 * The hub answers `HEAD /owner/name/resolve/REVISION/FILE` with `X-Repo-Commit` and an `ETag` that is Git's hash of
 * the file. A large file is stored elsewhere: then the answer is a redirect, whose `X-Linked-ETag` is the SHA-256 and
 * whose `X-Linked-Size` is the length.
 */
import { KvbenchError } from "../base/errors.ts";
import { failure, type HubClient, passing } from "./http.ts";
import type { HubModel } from "./names.ts";
import { type OnRetry, retrying, type RetryOptions } from "./retry.ts";

/** A file of a repository at one commit. */
export interface RemoteFile extends HubModel {
  /** Name in the repository. */
  readonly path: string;
  /** The commit that the revision stands for. */
  readonly commit: string;
  /** Name of the content; its hash if `hashOf` recognises it. */
  readonly etag: string;
  readonly bytes: number;
}

/** A refusal of the hub, with its HTTP status. */
export class RefusedError extends KvbenchError {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/**
 * Asks the hub to describe a file.
 *
 * @throws {RefusedError} If the hub has no such file, or refuses it.
 * @throws {KvbenchError} If the hub can't be reached, or its description is incomplete.
 */
export async function remoteFile(
  client: HubClient,
  file: Pick<RemoteFile, "repository" | "revision" | "path">,
  { retry, onRetry }: { readonly retry: RetryOptions; readonly onRetry?: OnRetry | undefined },
): Promise<RemoteFile> {
  const url = client.fileUrl(file);
  const enough = (answers: readonly Headers[]) =>
    ["x-repo-commit", "x-linked-etag", "x-linked-size"].every((name) => first(answers, name) !== undefined);
  const answer = await retrying(
    async () => {
      const answer = await client.send(url, { method: "HEAD", enough });
      await answer.cancel();
      if (!enough(answer.headers)) assertOk(url, answer.response);
      return answer;
    },
    retry,
    onRetry,
  );
  const last = answer.headers.at(-1)!;
  const commit = first(answer.headers, "x-repo-commit");
  const etag = tidyEtag(first(answer.headers, "x-linked-etag") ?? last.get("etag"));
  const size = first(answer.headers, "x-linked-size") ?? last.get("content-length");
  // Both become names of files.
  if (commit === undefined || !/^[\w-]{1,64}$/.test(commit)) {
    throw failure(url, "the server names no commit (X-Repo-Commit), it is not a hub");
  }
  if (etag === undefined || !/^\w[\w.-]{0,127}$/.test(etag)) {
    throw failure(url, "the server names no hash of it (X-Linked-ETag or ETag), it can't be verified");
  }
  if (size === null || !/^\d{1,15}$/.test(size)) {
    throw failure(url, "the server doesn't say how long it is (X-Linked-Size or Content-Length)");
  }
  return { ...file, commit, etag, bytes: Number(size) };
}

/**
 * Checks the status of an answer.
 *
 * @throws {PassingError} If a later request may succeed.
 * @throws {RefusedError} If the server refuses the file.
 */
export function assertOk(url: URL, { ok, status, statusText, headers }: Response): void {
  if (ok) return;
  const answered = `the hub answered ${status} ${statusText.replaceAll(/[^ -~]/g, "")}`.trim();
  if (status === 429 || status === 408 || status >= 500) {
    const after = retryAfterMs(headers);
    const wish = after === undefined ? "" : `, and wants to be left alone for ${Math.ceil(after / 1000)} s`;
    throw passing(url, answered + wish, after);
  }
  const advice = REFUSALS[headers.get("x-error-code") ?? ""] ?? ADVICE[status] ?? "";
  throw new RefusedError(failure(url, `${answered}${advice}`).message, status);
}

const ADVICE: Readonly<Record<number, string>> = {
  401: ": there is no such model, or it is private and wants a token in HF_TOKEN",
  403: ": the token in HF_TOKEN has no access to this model",
  404: ": there is no such model, or it has no such file",
};

/** Advice by the hub's own code of a refusal. */
const REFUSALS: Readonly<Record<string, string>> = {
  RepoNotFound: ": there is no such model, or it is private and wants a token in HF_TOKEN",
  RevisionNotFound:
    ": the model has no such revision, expected a branch, a tag, a commit or refs/pr/N behind the @",
  EntryNotFound: ": the model has no such file",
};

/** Reads `Retry-After`: seconds, or a date, which the server's own clock is subtracted from. */
function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const now = Date.parse(headers.get("date") ?? "");
  const ms = /^\d+$/.test(text) ? 1000 * Number(text) : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** Returns the value of a header in the first answer that has it. */
function first(answers: readonly Headers[], name: string): string | undefined {
  return answers.map((headers) => headers.get(name)).find((value) => value !== null) ?? undefined;
}

/** Returns `x` for `W/"x"` and `"x"`. */
export function tidyEtag(etag: string | null): string | undefined {
  return etag?.replace(/^W\//, "").replace(/^"(.*)"$/, "$1");
}
