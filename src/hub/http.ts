/**
 * Requests to the hub. Redirects are followed here, so that a token goes to the hub alone, and a silent server runs into
 * a time-out. Tells failures that may pass from others; retries nothing itself.
 */
import { KvbenchError, reasonOf } from "../base/errors.ts";
import { VERSION } from "../base/version.ts";
import type { HubModel } from "./names.ts";

/** A failure that may pass. */
export class PassingError extends KvbenchError {
  /** Pause that the server asks for, in ms. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, retryAfterMs?: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** An answer, after redirects. */
export interface Answer {
  /** The last answer, whose body is not yet read. */
  readonly response: Response;
  /** Headers of the redirects, and of `response`. */
  readonly headers: readonly Headers[];
  /** Reads the body piece by piece. Throws a {@linkcode PassingError} if it breaks off or the server falls silent. */
  pieces(): AsyncGenerator<Uint8Array>;
  /** Discards the rest of the body. */
  cancel(): Promise<void>;
}

/** A request to the hub. */
interface Request {
  readonly method?: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
  /** Tells whether the answers so far suffice, so that a redirect need not be followed. */
  readonly enough?: (answers: readonly Headers[]) => boolean;
}

/** Address of a hub, and access to it. */
interface HubClientOptions {
  /** The only origin that gets the token. */
  readonly endpoint: URL;
  readonly token: string | undefined;
  /** Longest silence of a server, in ms. */
  readonly timeoutMs: number;
}

const MAX_REDIRECTS = 10;
const REDIRECTS = [301, 302, 303, 307, 308];

/** A client of the hub. */
export class HubClient {
  readonly endpoint: URL;
  readonly #token: string | undefined;
  readonly #timeoutMs: number;

  constructor({ endpoint, token, timeoutMs }: HubClientOptions) {
    this.endpoint = endpoint;
    this.#token = token;
    this.#timeoutMs = timeoutMs;
  }

  /** Returns the address of a file of a model. */
  fileUrl({ repository, revision, path }: HubModel & { readonly path: string }): URL {
    const at = encodeURIComponent(revision);
    return new URL(`${this.endpoint.href.replace(/\/$/, "")}/${repository}/resolve/${at}/${path}`);
  }

  /**
   * Sends a request and follows redirects. Returns answers of any status.
   *
   * @throws {PassingError} If no server answers in time.
   * @throws {KvbenchError} If a redirect leads nowhere, or a permission is missing.
   */
  async send(url: URL, { method = "GET", headers = {}, enough }: Request = {}): Promise<Answer> {
    const watch = new Watch(this.#timeoutMs);
    const answers: Headers[] = [];
    let target = url;
    try {
      while (answers.length <= MAX_REDIRECTS) {
        const response = await fetch(target, {
          method,
          redirect: "manual",
          signal: watch.signal,
          headers: {
            ...headers,
            "user-agent": `kvbench/${VERSION}`,
            "accept-encoding": "identity", // a length and a range are of the file, not of what it packs to
            ...(this.#token !== undefined && target.origin === this.endpoint.origin &&
              { authorization: `Bearer ${this.#token}` }),
          },
        });
        watch.alive();
        answers.push(response.headers);
        if (!REDIRECTS.includes(response.status) || enough?.(answers)) {
          return answerOf(url, response, answers, watch);
        }
        await response.body?.cancel();
        target = redirectTarget(url, target, response);
      }
      throw failure(url, `it was redirected more than ${MAX_REDIRECTS} times`);
    } catch (error) {
      watch.stop();
      throw explained(url, target, error);
    }
  }
}

/** Makes the error for a file that can't be fetched. It shows no query, and no redirect, which may hold secrets. */
export function failure(url: URL, reason: string): KvbenchError {
  return new KvbenchError(`Cannot download ${url.origin}${url.pathname}: ${reason}`);
}

/** Makes the error for a file that a later try may fetch. */
export function passing(url: URL, reason: string, retryAfterMs?: number): PassingError {
  return new PassingError(failure(url, reason).message, retryAfterMs);
}

/** Time-out of a server's silence. */
class Watch {
  readonly #controller = new AbortController();
  readonly #timeoutMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.alive();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Restarts the time-out. */
  alive(): void {
    this.stop();
    this.#timer = setTimeout(() => {
      this.#controller.abort(new Error(`the server sent nothing for ${this.#timeoutMs / 1000} s`));
    }, this.#timeoutMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

function answerOf(url: URL, response: Response, headers: readonly Headers[], watch: Watch): Answer {
  const cancel = async () => {
    watch.stop();
    await response.body?.cancel().catch(() => {}); // a failure of the body is reported by its reader
  };
  return {
    response,
    headers,
    cancel,
    pieces: async function* () {
      try {
        for await (const piece of response.body ?? []) {
          watch.stop(); // what is done with a piece is not the server's time
          yield piece;
          watch.alive();
        }
      } catch (error) {
        throw explained(url, url, error);
      } finally {
        watch.stop();
      }
    },
  };
}

function redirectTarget(url: URL, from: URL, response: Response): URL {
  const to = URL.parse(response.headers.get("location") ?? "", from);
  if (to === null || response.headers.get("location") === null || !/^https?:$/.test(to.protocol)) {
    throw failure(url, "it was redirected to no address");
  }
  if (from.protocol === "https:" && to.protocol === "http:") {
    throw failure(url, "it was redirected from https to http, which anyone on the way can change");
  }
  return to;
}

/** Turns an error of a request into one that says what to do: a permission that is missing, or a failure that may pass. */
export function explained(url: URL, target: URL, error: unknown): KvbenchError {
  if (error instanceof KvbenchError) return error;
  if (error instanceof Deno.errors.NotCapable) {
    const where = target.origin === url.origin ? "" : ", to which the hub redirects";
    return failure(url, `no permission for ${target.host}${where}, run with --allow-net=${target.host}`);
  }
  return passing(url, reasonOf(error));
}
