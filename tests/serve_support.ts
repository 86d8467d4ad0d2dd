/**
 * What tests of the server share: a server in this process over a small random model, a vocabulary in which ids can be
 * read off the text, and what every request gives alone.
 */
import assert from "node:assert/strict";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { LiveEngine } from "../src/engine/live_engine.ts";
import type { Preemption } from "../src/engine/scheduler/scheduler_options.ts";
import type { Kv, KvNeed, KvOptions } from "../src/kv/strategy_def.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import type { LoadClient } from "../src/load/client.ts";
import { loadResult } from "../src/load/load_result.ts";
import type { LoadPlan } from "../src/load/plan.ts";
import { runLoad } from "../src/load/run.ts";
import type { Gpt2 } from "../src/model/gpt2.ts";
import type { Sampling } from "../src/model/sampling.ts";
import { serve, type ServerOptions } from "../src/serve/server.ts";
import { kvNeed, STATIC, variant, withDecoder, withRandomModel } from "./decode_support.ts";
import { AWKWARD } from "./fixtures/checkpoint.ts";
import { NUMBERS } from "./fixtures/numbers.ts";

/** Longest sequence of the model that is served. */
export const N_CTX = AWKWARD.n_ctx;
/** Its vocabulary. */
export const VOCAB_SIZE = AWKWARD.vocab_size;

/** A prompt. */
export const PROMPT = [5, 6, 7, 8, 9];

/** A completion as the API gives it. */
export interface Completion {
  readonly choices: readonly {
    readonly index: number;
    readonly text: string;
    readonly finish_reason: string | null;
    readonly logprobs: {
      readonly tokens: string[];
      readonly token_logprobs: number[];
      readonly top_logprobs: Record<string, number>[];
      readonly text_offset: number[];
    } | null;
  }[];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
}

/** A completion that succeeds, read to its end. */
export async function whole(response: Response | Promise<Response>): Promise<Completion> {
  const answer = await response;
  const json = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(json));
  return json;
}

/** A load test of the served model, but for what `own` says; answers have 12 tokens. */
export function loadPlanOf(
  own: Pick<LoadPlan, "nRequests" | "ratePerSecond" | "maxConcurrency"> & Partial<LoadPlan>,
): LoadPlan {
  return {
    lengths: { uniform: { promptTokens: 10, newTokens: 12, spread: 0 } },
    prefixTokens: 0,
    nCtx: N_CTX,
    vocabSize: VOCAB_SIZE,
    seed: 1,
    temperature: 0,
    ignoreEos: true,
    limits: { ttftMs: undefined, tpotMs: undefined, e2eMs: undefined },
    ...own,
  };
}

/** Runs a plan against a server, and makes its record. */
export async function loadTest(client: LoadClient, url: string, plan: LoadPlan) {
  const run = await runLoad(client, "random", plan);
  const server = { url, model: "random" };
  const facts = { created: new Date().toISOString(), command: [], server, interrupted: false };
  return { run, result: loadResult(plan, run, facts) };
}

/** A server under test. */
export interface TestServer {
  /** Where it listens. */
  readonly url: string;
  readonly engine: LiveEngine;
  readonly model: Gpt2;
  /** Posts a completion; `body` gets the model's name and greedy decoding unless it says otherwise. */
  post(body: object, init?: RequestInit): Promise<Response>;
  /** Asks the server to end, and waits for it. */
  stop(): Promise<void>;
}

/** Returns a strategy's memory for many sequences, in blocks of 4 unless the options say otherwise. */
export function servedKv(
  model: Gpt2,
  name: string,
  { options = {}, ...need }: Partial<KvNeed> & { readonly options?: KvOptions },
): Kv {
  const known = { ...kvNeed(model, 64), watermark: undefined, ...need };
  return variant(name, { block_size: 4, ...options }).make(known);
}

/** What a test may choose. */
export interface TestServerOptions extends Partial<Omit<ServerOptions, "signal" | "onListen">> {
  readonly kv?: Kv | Partial<KvNeed>;
  readonly preemption?: Preemption;
  readonly maxSequences?: number;
  readonly maxRows?: number;
  /** The id that ends a text: the model's own, unless told otherwise. */
  readonly eosTokenId?: number;
}

/** Serves the random model while `body` runs. Fails where the server fails, or leaks K and V. */
export async function withServer(
  gpu: Gpu,
  options: TestServerOptions,
  body: (server: TestServer) => Promise<void>,
): Promise<void> {
  await withRandomModel(gpu, (model) => serveModel(model, options, body));
}

/** Serves a model that is loaded. */
export async function serveModel(
  model: Gpt2,
  options: TestServerOptions,
  body: (server: TestServer) => Promise<void>,
): Promise<void> {
  const { kv: need = { budgetTokens: 240 } } = options;
  const kv = "policy" in need ? need : servedKv(model, "paged", need), { policy } = kv;
  const { nCtx } = model.config;
  const engine = await LiveEngine.create(model, kv, {
    nCtx,
    maxSequences: options.maxSequences ?? 8,
    maxRows: options.maxRows ?? Math.max(24, policy.traits.keeps !== "nothing" ? 0 : policy.usage().capacity),
    preemption: options.preemption ?? "recompute",
    kvDtype: "f32",
  });
  const stopping = new AbortController();
  const listening = Promise.withResolvers<string>();
  const { eosTokenId } = { ...model.config, ...options };
  const config = { nCtx, vocabSize: VOCAB_SIZE, eosTokenId };
  const served = serve(engine, { name: "random", config, tokenizer: NUMBERS }, {
    hostname: "127.0.0.1",
    port: 0,
    apiKey: undefined,
    maxRequests: 1000,
    maxWaiting: 256,
    maxBodyBytes: 4096,
    maxConnections: 1000,
    headerTimeoutMs: 10_000,
    bodyTimeoutMs: 30_000,
    idleTimeoutMs: 60_000,
    onLimit: () => {},
    graceMs: 10_000,
    ...options,
    signal: stopping.signal,
    onListen: listening.resolve,
  });
  served.catch(listening.reject);
  try {
    const url = await listening.promise;
    const stop = () => {
      stopping.abort();
      return served;
    };
    const post = (body: object, init: RequestInit = {}) =>
      fetch(`${url}/v1/completions`, {
        method: "POST",
        body: JSON.stringify({ model: "random", temperature: 0, ...body }),
        ...init,
        headers: { "content-type": "application/json", ...init.headers },
      });
    await body({ url, engine, model, post, stop });
  } finally {
    stopping.abort();
    await served.finally(() => engine.dispose());
  }
}

/** The events of a streamed answer, `[DONE]` among them. */
export async function* eventsOf(response: Response): AsyncGenerator<string> {
  const text = response.body!.pipeThrough(new TextDecoderStream());
  for await (const { data } of text.pipeThrough(new EventSourceParserStream())) yield data;
}

/** The ids that a text of {@linkcode NUMBERS} stands for. */
export function idsOf(text: string): number[] {
  return NUMBERS.encode(text);
}

/** What prompts give alone, up to the end of the context: only new ids. */
export async function idsAlone(
  model: Gpt2,
  requests: readonly { readonly prompt: readonly number[]; readonly sampling: Sampling }[],
): Promise<number[][]> {
  return await withDecoder(model, { variant: STATIC }, async (decoder) => {
    const all: number[][] = [];
    for (const { prompt, sampling } of requests) {
      decoder.begin([prompt], [sampling]);
      decoder.advance(N_CTX - prompt.length);
      all.push((await decoder.ids(prompt.length))[0]!);
    }
    return all;
  });
}

/** Waits until something holds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Still not so after 5 seconds: ${what}`);
}
