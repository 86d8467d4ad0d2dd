/** The server's routes, and who may use them. */
import { createHash, timingSafeEqual } from "node:crypto";
import { ApiError, serverFailure, unavailable } from "./api_error.ts";
import { type BodyLimits, readJson } from "./body.ts";
import type { ServedModel } from "./completion_job.ts";
import type { Completions } from "./completions.ts";
import type { Metrics } from "./metrics.ts";

/** Access to the server, and limits of a request. */
export interface ApiOptions extends BodyLimits {
  /** Address that the server listens at. */
  readonly hostname: string;
  /** Bearer token that requests below `/v1` must carry; undefined if they need none. */
  readonly apiKey: string | undefined;
}

/** The server's answers to HTTP requests. */
export class Api {
  /** True while new completions are refused. */
  draining = false;
  readonly #completions: Completions;
  readonly #metrics: Metrics;
  readonly #model: ServedModel;
  readonly #options: ApiOptions;
  readonly #closing = new AbortController();
  readonly #created: number = Math.floor(Date.now() / 1000);

  /** Takes the parts that answer. */
  constructor(
    { completions, metrics, model }: {
      readonly completions: Completions;
      readonly metrics: Metrics;
      readonly model: ServedModel;
    },
    options: ApiOptions,
  ) {
    this.#completions = completions;
    this.#metrics = metrics;
    this.#model = model;
    this.#options = options;
  }

  /** Refuses requests whose body is still on its way. */
  close(): void {
    this.draining = true;
    this.#closing.abort();
  }

  /** Answers a request; never rejects. */
  async handle(request: Request): Promise<Response> {
    try {
      return await this.#route(request);
    } catch (error) {
      if (error instanceof ApiError) return error.response();
      console.error(error);
      return serverFailure().response();
    }
  }

  async #route(request: Request): Promise<Response> {
    const { hostname, pathname } = new URL(request.url);
    this.#expectHost(hostname);
    switch (pathname) {
      case "/health":
        expectMethod(request, "GET");
        this.#expectOpen();
        return Response.json({ status: "ok" });
      case "/metrics":
        expectMethod(request, "GET");
        return new Response(await this.#metrics.text(), {
          headers: { "content-type": this.#metrics.contentType },
        });
      case "/v1/models":
        this.#authorize(request);
        expectMethod(request, "GET");
        return Response.json({ object: "list", data: [this.#modelCard()] });
      case `/v1/models/${encodeURIComponent(this.#model.name)}`:
        this.#authorize(request);
        expectMethod(request, "GET");
        return Response.json(this.#modelCard());
      case "/v1/completions": {
        this.#authorize(request);
        expectMethod(request, "POST");
        this.#expectOpen();
        const json = await readJson(request, this.#options, this.#closing.signal);
        this.#expectOpen(); // a completion that is begun after this is finished, or cancelled with the others
        return await this.#completions.answer(json, request.signal);
      }
      case "/v1/chat/completions":
        this.#authorize(request);
        expectMethod(request, "POST");
        throw new ApiError(
          404,
          `The model '${this.#model.name}' is not a chat model: it has no chat template, and ` +
            "v1/chat/completions is not supported. Send a prompt to v1/completions",
          { param: "model", code: "model_not_supported" },
        );
    }
    throw new ApiError(404, `Unknown request URL: ${request.method} ${pathname}`, { code: "unknown_url" });
  }

  #expectOpen(): void {
    if (this.draining) throw unavailable("The server is shutting down");
  }

  #modelCard(): object {
    const { name, config } = this.#model;
    return {
      id: name,
      object: "model",
      created: this.#created,
      owned_by: "kvbench",
      max_model_len: config.nCtx,
    };
  }

  /** Refuses pages of other hosts whose name was made to resolve to this machine (DNS rebinding). */
  #expectHost(name: string): void {
    if (isLoopback(name) || !isLoopback(this.#options.hostname)) return;
    throw new ApiError(
      403,
      `This server is for its own machine: expected the host ${this.#options.hostname}`,
    );
  }

  #authorize(request: Request): void {
    const { apiKey } = this.#options;
    if (apiKey === undefined) return;
    const [, given] = /^bearer (.*)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
    // Hashes have equal lengths, and comparing them takes the same time wherever they differ.
    const hash = (text: string) => createHash("sha256").update(text).digest();
    if (given !== undefined && timingSafeEqual(hash(given), hash(apiKey))) return;
    throw new ApiError(401, given === undefined ? "An API key is missing" : "The API key is wrong", {
      code: "invalid_api_key",
      headers: { "www-authenticate": "Bearer" },
    });
  }
}

function expectMethod(request: Request, method: string): void {
  if (request.method === method || (method === "GET" && request.method === "HEAD")) return;
  throw new ApiError(405, `${request.method} is not allowed here: expected ${method}`, {
    headers: { allow: method },
  });
}

/** Tells whether a host's name stands for this machine alone. */
export function isLoopback(hostname: string): boolean {
  return ["localhost", "::1", "[::1]"].includes(hostname) || /^127(\.\d+){3}$/.test(hostname);
}
