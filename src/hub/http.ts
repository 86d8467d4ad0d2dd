/**
 * Requests to the hub: redirects are followed here, so that a token goes to the hub alone, and a server that sends
 * nothing is not waited for. Says which failures are worth another try; makes none itself.
 *
 * @module
 */
import { KvbenchError, reasonOf } from "../base/errors.ts";
import { VERSION } from "../base/version.ts";

/** A failure that another try may get past. */
export class PassingError extends KvbenchError {
  /** How long the server wants to be left alone, in ms, where it says so. */
  readonly retryAfterMs: number | undefined;

  /**
   * @param message The line for a user.
   * @param retryAfterMs How long the server wants to be left alone, in ms.
   */
  constructor(message: string, retryAfterMs?: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** An answer with the headers of every answer on the way to it. */
export interface Answer {
  /** The last answer, whose body is still to be read. */
  readonly response: Response;
  /** Headers of the redirects, and of `response`. */
  readonly headers: readonly Headers[];
  /** The body, piece by piece. Throws a {@linkcode PassingError} where it breaks off or nothing comes. */
  pieces(): AsyncGenerator<Uint8Array>;
  /** Leaves the rest of the body. */
  cancel(): Promise<void>;
}

/** How to ask. */
export interface Request {
  readonly method?: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the answers so far say enough, so that a redirect need not be followed. */
  readonly enough?: (answers: readonly Headers[]) => boolean;
}

/** Whom to ask, and as whom. */
export interface HubClientOptions {
  /** The hub: the only origin that gets the token. */
  readonly endpoint: URL;
  readonly token: string | undefined;
  /** How long a server may send nothing, in ms. */
  readonly timeoutMs: number;
}

const MAX_REDIRECTS = 10;
const REDIRECTS = [301, 302, 303, 307, 308];

/** Asks the hub. */
export class HubClient {
  /** The hub's address. */
  readonly endpoint: URL;
  readonly #token: string | undefined;
  readonly #timeoutMs: number;

  /** @param options Whom to ask, and as whom. */
  constructor({ endpoint, token, timeoutMs }: HubClientOptions) {
    this.endpoint = endpoint;
    this.#token = token;
    this.#timeoutMs = timeoutMs;
  }

  /** The address of a file of a repository. */
  fileUrl(repository: string, path: string): URL {
    return new URL(`${this.endpoint.href.replace(/\/$/, "")}/${repository}/resolve/main/${path}`);
  }

  /**
   * Sends a request and follows redirects. Any status may come back.
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

/** The error for a file that can't be fetched. What follows a redirect may hold a secret and is not shown. */
export function failure(url: URL, reason: string): KvbenchError {
  return new KvbenchError(`Cannot download ${url.origin}${url.pathname}: ${reason}`);
}

/** The error for a file that can't be fetched now, and maybe later. */
export function passing(url: URL, reason: string, retryAfterMs?: number): PassingError {
  return new PassingError(failure(url, reason).message, retryAfterMs);
}

/** Ends a request when nothing came for a while. */
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

  /** Something came: the time begins anew. */
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
    await response.body?.cancel().catch(() => {}); // it may have ended badly, which is told elsewhere
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

function explained(url: URL, target: URL, error: unknown): KvbenchError {
  if (error instanceof KvbenchError) return error;
  if (error instanceof Deno.errors.NotCapable) {
    const where = target.origin === url.origin ? "" : ", to which the hub redirects";
    return failure(url, `no permission for ${target.host}${where}: run with --allow-net=${target.host}`);
  }
  return passing(url, reasonOf(error));
}
