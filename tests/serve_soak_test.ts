/**
 * Many clients at once, some of which leave at any moment: what the others get is what they would get alone, with every
 * memory and preemption, and nothing is leaked. Clients come for some seconds; `KVBENCH_SOAK_SECONDS=60` makes it longer.
 */
import assert from "node:assert/strict";
import type { Kv } from "../src/kv/strategy_def.ts";
import type { Preemption } from "../src/engine/scheduler/scheduler_options.ts";
import type { Gpt2 } from "../src/model/gpt2.ts";
import { seededRandom } from "../src/base/random.ts";
import { GREEDY, type Sampling } from "../src/model/sampling.ts";
import { withRandomModel } from "./decode_support.ts";
import { gpuTest } from "./gpu_support.ts";
import { permitted } from "./permitted.ts";
import {
  eventsOf,
  idsAlone,
  idsOf,
  N_CTX,
  servedKv,
  serveModel,
  type TestServer,
  type TestServerOptions,
  VOCAB_SIZE,
} from "./serve_support.ts";

const SECONDS = permitted("env") ? Number(Deno.env.get("KVBENCH_SOAK_SECONDS") ?? 2) : 0;
const MAX_CONTINUATIONS = 3;

/** A prompt, and what it gives alone with each of its seeds, or greedily. */
interface Known {
  readonly prompt: readonly number[];
  readonly seed: number | undefined;
  readonly alone: readonly (readonly number[])[];
}

/** Prompts of all lengths, many of which begin alike. */
async function knownPrompts(model: Gpt2): Promise<Known[]> {
  const random = seededRandom(9);
  const whole = (below: number) => Math.floor(random() * below);
  const beginnings = [0, 1].map(() => Array.from({ length: 20 }, () => whole(VOCAB_SIZE)));
  const prompts = Array.from({ length: 24 }, (_, i) => {
    const shared = beginnings[i % 2]!.slice(0, whole(20));
    const prompt = [...shared, ...Array.from({ length: 1 + whole(5) }, () => whole(VOCAB_SIZE))];
    return { prompt, seed: i % 3 === 0 ? 100 * i : undefined };
  });
  const samplings = prompts.flatMap(({ prompt, seed }) =>
    Array.from({ length: MAX_CONTINUATIONS }, (_, c): { prompt: number[]; sampling: Sampling } => ({
      prompt,
      sampling: seed === undefined ? GREEDY : { ...GREEDY, temperature: 1, seed: seed + c },
    }))
  );
  const alone = await idsAlone(model, samplings);
  return prompts.map((each, i) => ({
    ...each,
    alone: alone.slice(i * MAX_CONTINUATIONS, (i + 1) * MAX_CONTINUATIONS),
  }));
}

/** What clients have seen. */
interface Seen {
  whole: number;
  left: number;
}

/** One request after another until the time is over, two at least; the first one is always seen through. */
async function client(
  server: TestServer,
  known: readonly Known[],
  seed: number,
  untilMs: number,
): Promise<Seen> {
  const random = seededRandom(seed);
  const seen = { whole: 0, left: 0 };
  for (let i = 0; i < 2 || performance.now() < untilMs; i++) {
    const { prompt, seed, alone } = known[Math.floor(random() * known.length)]!;
    const n = 1 + Math.floor(random() ** 3 * MAX_CONTINUATIONS);
    const maxTokens = 1 + Math.floor(random() ** 2 * (N_CTX - prompt.length));
    const stream = random() < 0.5;
    const body = {
      prompt,
      n,
      stream,
      max_tokens: maxTokens,
      ignore_eos: true,
      ...(seed !== undefined && { seed, temperature: 1 }),
    };
    const leaving = new AbortController();
    const timer = i > 0 && random() < 0.3
      ? setTimeout(() => leaving.abort(), random() ** 3 * 1000)
      : undefined;
    try {
      const response = await server.post(body, { signal: leaving.signal });
      assert.equal(response.status, 200);
      const texts = stream ? await streamedTexts(response, n) : await wholeTexts(response);
      assert.deepEqual(texts.map(idsOf), alone.slice(0, n).map((ids) => ids.slice(0, maxTokens)));
      seen.whole++;
    } catch (error) {
      if (!leaving.signal.aborted) throw error;
      seen.left++;
    } finally {
      clearTimeout(timer);
    }
  }
  return seen;
}

async function wholeTexts(response: Response): Promise<string[]> {
  const { choices } = await response.json();
  return choices.map(({ text }: { text: string }) => text);
}

async function streamedTexts(response: Response, n: number): Promise<string[]> {
  const texts = Array(n).fill("");
  let last = "";
  for await (const event of eventsOf(response)) {
    last = event;
    if (event === "[DONE]") break;
    const { choices: [{ index, text }] } = JSON.parse(event);
    texts[index] += text;
  }
  assert.equal(last, "[DONE]");
  return texts;
}

async function soak(
  model: Gpt2,
  known: readonly Known[],
  options: TestServerOptions & { readonly nClients: number; readonly seconds: number },
): Promise<void> {
  const { nClients, seconds, ...serverOptions } = options;
  await serveModel(model, { maxWaiting: 1000, ...serverOptions }, async (server) => {
    const untilMs = performance.now() + 1000 * seconds;
    const seen = await Promise.all(
      Array.from({ length: nClients }, (_, i) => client(server, known, i, untilMs)),
    );
    const nWhole = seen.reduce((sum, { whole }) => sum + whole, 0);
    const nLeft = seen.reduce((sum, { left }) => sum + left, 0);
    assert.ok(nWhole >= nClients && nLeft > 0, `${nWhole} got all, ${nLeft} left`);
    await server.stop();
    const { nRunning, nWaiting } = server.engine;
    const { capacity, free } = server.engine.usage();
    assert.deepEqual([nRunning, nWaiting, free], [0, 0, capacity]);
  });
}

function kvOf(model: Gpt2, name: string): Kv {
  return servedKv(model, name, {
    ...{ budgetTokens: 200, maxRows: 200, swapTokens: 400, watermark: 0 },
    options: { allocator: name === "oracle" ? "first-fit" : "buddy" },
  });
}

gpuTest("200 clients, some of which leave, get what they would get alone, and leak nothing", async (gpu) => {
  await withRandomModel(gpu, async (model) => {
    const known = await knownPrompts(model);
    const settings = { maxSequences: 24, maxRows: 64, nClients: 200, seconds: SECONDS };
    await soak(model, known, { ...settings, kv: kvOf(model, "paged") });
  });
}, { needs: ["net", "env"] });

gpuTest("So do clients of every policy and preemption", async (gpu) => {
  const cases: readonly (readonly [string, Preemption])[] = [
    ["paged", "swap"],
    ["no-cache", "recompute"],
    ["kv-cache", "recompute"],
    ["max", "recompute"],
    ["pow2", "recompute"],
    ["oracle", "recompute"],
  ];
  await withRandomModel(gpu, async (model) => {
    const known = await knownPrompts(model);
    for (const [policy, preemption] of cases) {
      const kv = kvOf(model, policy);
      await soak(model, known, {
        kv,
        preemption,
        maxSequences: 8,
        maxRows: kv.policy.traits.keeps !== "nothing" ? 40 : 200,
        nClients: 20,
        seconds: SECONDS / cases.length,
      });
    }
  });
}, { needs: ["net", "env"] });
