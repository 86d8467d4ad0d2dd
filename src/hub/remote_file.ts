/**
 * What the hub says about a file before it is fetched: which commit it belongs to, how long it is, and its hash.
 *
 * The hub answers `HEAD /owner/name/resolve/REVISION/FILE` with `X-Repo-Commit` and an `ETag` that is Git's hash of
 * the file. A large file is stored elsewhere: then the answer is a redirect, whose `X-Linked-ETag` is the SHA-256 and
 * whose `X-Linked-Size` is the length.
 *
 * @module
 */
import { KvbenchError } from "../base/errors.ts";
import { failure, type HubClient, passing } from "./http.ts";
import { type OnRetry, retrying, type RetryOptions } from "./retry.ts";

/** A file of a repository at one commit. */
export interface RemoteFile {
  /** `owner/name`. */
  readonly repository: string;
  /** Its name in the repository. */
  readonly path: string;
  /** The commit that `main` stands for. */
  readonly commit: string;
  /** Names the content, and is its hash where `hashOf` says so. */
  readonly etag: string;
  /** Its length. */
  readonly bytes: number;
}

/** How the hub refuses. */
export class RefusedError extends KvbenchError {
  /** The HTTP status. */
  readonly status: number;

  /**
   * @param message The line for a user.
   * @param status The HTTP status.
   */
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/**
 * Asks for a file.
 *
 * @throws {RefusedError} If the hub has no such file, or doesn't give it.
 * @throws {KvbenchError} If the hub can't be reached, or doesn't say what is needed.
 */
export async function remoteFile(
  client: HubClient,
  { repository, path }: Pick<RemoteFile, "repository" | "path">,
  { retry, onRetry }: { readonly retry: RetryOptions; readonly onRetry?: OnRetry | undefined },
): Promise<RemoteFile> {
  const url = client.fileUrl(repository, path);
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
    throw failure(url, "the server names no commit (X-Repo-Commit), it is no hub");
  }
  if (etag === undefined || !/^\w[\w.-]{0,127}$/.test(etag)) {
    throw failure(url, "the server names no hash of it (X-Linked-ETag or ETag), it can't be verified");
  }
  if (size === null || !/^\d{1,15}$/.test(size)) {
    throw failure(url, "the server doesn't say how long it is (X-Linked-Size or Content-Length)");
  }
  return { repository, path, commit, etag, bytes: Number(size) };
}

/**
 * Checks that a server gave what was asked for.
 *
 * @throws {PassingError} If it may do so later.
 * @throws {RefusedError} If it won't.
 */
export function assertOk(url: URL, { ok, status, statusText, headers }: Response): void {
  if (ok) return;
  const answered = `the hub answered ${status} ${statusText.replaceAll(/[^ -~]/g, "")}`.trim();
  if (status === 429 || status === 408 || status >= 500) {
    const after = retryAfterMs(headers);
    const wish = after === undefined ? "" : `, and wants to be left alone for ${Math.ceil(after / 1000)} s`;
    throw passing(url, answered + wish, after);
  }
  throw new RefusedError(failure(url, `${answered}${ADVICE[status] ?? ""}`).message, status);
}

const ADVICE: Readonly<Record<number, string>> = {
  401: ": there is no such model, or it is private and wants a token in HF_TOKEN",
  403: ": the token in HF_TOKEN has no access to this model",
  404: ": there is no such model, or it has no such file",
};

/** `Retry-After` in seconds, or as a date of the server's clock: this machine's may be wrong, or be set meanwhile. */
function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const now = Date.parse(headers.get("date") ?? "");
  const ms = /^\d+$/.test(text) ? 1000 * Number(text) : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

/** The first answer's value of a header that has one. */
function first(answers: readonly Headers[], name: string): string | undefined {
  return answers.map((headers) => headers.get(name)).find((value) => value !== null) ?? undefined;
}

/** `W/"x"` and `"x"` as `x`. */
export function tidyEtag(etag: string | null): string | undefined {
  return etag?.replace(/^W\//, "").replace(/^"(.*)"$/, "$1");
}
