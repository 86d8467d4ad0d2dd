/**
 * A client of the completions API that notes when each token comes. Works with every server that streams completions as
 * OpenAI's does; knows nothing of how many requests there are.
 */
import { type EventSourceMessage, EventSourceParserStream } from "npm:eventsource-parser@4.1.3/stream";
import { z } from "../base/zod.ts";
import { KvbenchError, reasonOf } from "../base/errors.ts";

/** A server, and the terms on which it is asked. */
interface LoadTarget {
  /** Address with or without `/v1`. */
  readonly url: string;
  /** Bearer token. */
  readonly apiKey: string | undefined;
  /** Longest time of a request. */
  readonly timeoutMs: number;
}

/** A completion to ask for. */
export interface LoadRequest {
  readonly prompt: readonly number[];
  readonly newTokens: number;
  /** 0 for greedy sampling. */
  readonly temperature: number;
  /** Asks the server to go on after an end-of-text token, so that the answer has `newTokens` tokens. */
  readonly ignoreEos: boolean;
}

/** An answer: times in ms of `performance.now()`, tokens as the server counts them. */
export interface LoadAnswer {
  readonly startMs: number;
  /** Arrival of each chunk that has tokens. */
  readonly chunkMs: readonly number[];
  readonly promptTokens: number;
  readonly outputTokens: number;
}

/** A model as a server lists it. */
export interface ModelCard {
  readonly id: string;
  /** Context length, where the server gives it. */
  readonly maxTokens: number | undefined;
}

const modelsSchema = z.object({
  data: z.array(z.object({ id: z.string(), max_model_len: z.int().positive().nullish() })).min(1),
});
const errorSchema = z.object({ error: z.object({ message: z.string() }) });
const chunkSchema = z.object({
  choices: z.array(z.object({ text: z.string() })),
  usage: z.object({ prompt_tokens: z.int(), completion_tokens: z.int() }).nullish(),
});

/** Sends requests to one server. */
export class LoadClient {
  readonly #base: string;
  readonly #target: LoadTarget;

  /**
   * Takes the server's address; nothing is sent yet.
   *
   * @throws {KvbenchError} If the address is not an HTTP URL.
   */
  constructor(target: LoadTarget) {
    const url = URL.parse(target.url);
    if (url === null || !/^https?:$/.test(url.protocol)) {
      throw new KvbenchError(`Cannot use ${target.url}: expected a URL such as http://127.0.0.1:8000`);
    }
    this.#base = url.href.replace(/\/+(v1\/*)?$/, "");
    this.#target = target;
  }

  /**
   * Lists the server's models.
   *
   * @throws {KvbenchError} If the server cannot be reached, or does not list models.
   */
  async models(): Promise<ModelCard[]> {
    const response = await this.#fetch("/v1/models", {});
    const parsed = modelsSchema.safeParse(await response.json().catch(() => undefined));
    if (!parsed.success) {
      throw new KvbenchError(`${this.#base} lists no models: expected a server with OpenAI's API`);
    }
    return parsed.data.data.map(({ id, max_model_len }) => ({ id, maxTokens: max_model_len ?? undefined }));
  }

  /**
   * Sends a request and follows its answer to the end.
   *
   * @throws {KvbenchError} If the request is refused, takes too long, or its answer breaks off.
   */
  async complete(model: string, request: LoadRequest, signal?: AbortSignal): Promise<LoadAnswer> {
    const { prompt, newTokens, temperature, ignoreEos } = request;
    const startMs = performance.now();
    const response = await this.#fetch("/v1/completions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model,
        prompt,
        max_tokens: newTokens,
        temperature,
        stream: true,
        stream_options: { include_usage: true },
        ...(ignoreEos && { ignore_eos: true }),
      }),
    }, signal);
    const chunkMs: number[] = [];
    let usage: z.infer<typeof chunkSchema>["usage"];
    try {
      for await (const { data } of events(response)) {
        if (data === "[DONE]") {
          return {
            startMs,
            chunkMs,
            promptTokens: usage?.prompt_tokens ?? prompt.length,
            outputTokens: usage?.completion_tokens ?? chunkMs.length,
          };
        }
        const chunk = parseChunk(data);
        if (chunk.choices.length > 0) chunkMs.push(performance.now());
        usage = chunk.usage ?? usage;
      }
    } catch (error) {
      throw this.#explained(error);
    }
    throw new KvbenchError("The answer broke off: expected [DONE] at its end");
  }

  async #fetch(path: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    const { apiKey, timeoutMs } = this.#target;
    const headers = { ...init.headers as Record<string, string> };
    if (apiKey !== undefined) headers["authorization"] = `Bearer ${apiKey}`;
    const timeout = AbortSignal.timeout(timeoutMs);
    let response: Response;
    try {
      response = await fetch(this.#base + path, {
        ...init,
        headers,
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
    } catch (error) {
      throw this.#explained(error);
    }
    if (response.ok) return response;
    const parsed = errorSchema.safeParse(await response.json().catch(() => undefined));
    const message = parsed.success ? `: ${parsed.data.error.message}` : "";
    throw new KvbenchError(`The server answers with status ${response.status}${message}`);
  }

  #explained(error: unknown): Error {
    if (error instanceof KvbenchError || isRefused(error)) return error;
    if (error instanceof DOMException && error.name === "TimeoutError") {
      return new KvbenchError(`The answer took longer than ${this.#target.timeoutMs / 1000} seconds`);
    }
    return new KvbenchError(`Cannot reach ${this.#base}: ${reasonOf(error)}`);
  }
}

/** Tells whether the runtime refused, for want of a permission: its own words are the clearest. */
function isRefused(error: unknown): error is Error {
  return error instanceof Error && error.name === "NotCapable";
}

function events(response: Response): ReadableStream<EventSourceMessage> {
  return response.body!.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
}

function parseChunk(data: string): z.infer<typeof chunkSchema> {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    throw new KvbenchError(`The server sent an event that is not JSON: ${data.slice(0, 60)}`);
  }
  const failure = errorSchema.safeParse(json);
  if (failure.success) throw new KvbenchError(failure.data.error.message);
  const chunk = chunkSchema.safeParse(json);
  if (!chunk.success) {
    throw new KvbenchError(`The server sent an event that is no chunk of a completion: ${data.slice(0, 60)}`);
  }
  return chunk.data;
}
