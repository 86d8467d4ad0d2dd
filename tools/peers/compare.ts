/**
 * The comparison: for each storage type, every peer in a process of its own, checked before it is timed, and timed in
 * turns with the others. A peer that fails leaves the others their turns.
 */
import type { Gpt2Config } from "../../src/checkpoint/config.ts";
import { SyntheticCheckpoint } from "../../src/checkpoint/synthetic.ts";
import { Child, PeerError } from "./child.ts";
import { products, referenceLogits } from "./gpt2_reference.ts";
import { type Job, promptOf, type Question, type Storage } from "./peer.ts";
import { type Check, checkOf, LENGTHS, type Measure, type PeerRecord, type Sample } from "./record.ts";
import type { PeerEntry } from "./roster.ts";
import { weightsPath, writeWeights } from "./weights.ts";

/**
 * The largest deviation that rounding explains, of activations too: llama.cpp's GELU is a table of float16. Logits are
 * off by 0.3 where one token of the checked text is another, and by 0.6 without a layer.
 */
const TOLERANCE: Readonly<Record<Storage, number>> = { f32: 5e-3, f16: 1e-1, int8: 2e-1 };
/** Tokens of the checked text: a prompt, and steps behind it. */
const CHECKED = { prompt: 12, further: 4 };
const PRODUCT = "h.0.mlp.c_fc";
/** The milliseconds after which a peer sits out the remaining rounds of a length. */
const LENGTH_MS = 30_000;
/** The longest prefill of the shorter length with which a peer is asked for the longer one. */
const SLOW_PREFILL_MS = 15_000;
/** The longest check after which a peer is warmed up; it has warmed up those that take longer. */
const SLOW_CHECK_MS = 15_000;

/** The scope of a comparison. */
export interface Comparison {
  readonly config: Gpt2Config;
  readonly seed: number;
  readonly rounds: number;
  readonly peers: readonly PeerEntry[];
  readonly storages: readonly Storage[];
  /** Called before each part of the work. */
  readonly onStep: (text: string) => void;
}

/** Measures everything. */
export async function comparePeers(comparison: Comparison): Promise<PeerRecord[]> {
  const references = await referencesOf(comparison);
  const records: PeerRecord[] = [];
  for (const storage of comparison.storages) {
    records.push(...await compareIn(storage, comparison, references));
  }
  return records;
}

/** The outputs that others are held against. */
interface References {
  readonly logits: Float64Array;
  readonly row: readonly number[];
  readonly product: Float64Array;
}

async function referencesOf({ config, seed, onStep }: Comparison): Promise<References> {
  onStep("the float64 reference");
  const model = new SyntheticCheckpoint("gpt2", config, seed);
  const logits = await referenceLogits(model, promptOf(CHECKED.prompt + CHECKED.further, config.vocabSize));
  const row = Array.from({ length: config.nEmbd }, (_, i) => Math.sin(i));
  const matrix = await model.read(`${PRODUCT}.weight`);
  const [product] = products([row], matrix, new Float32Array(config.nInner));
  return { logits, row, product: product! };
}

/** A peer that takes part, and its record as it grows. */
interface Runner {
  readonly entry: PeerEntry;
  readonly record: { -readonly [Key in keyof PeerRecord]: PeerRecord[Key] };
  child?: Child;
  readonly samples: Partial<Record<Measure, Sample[]>>;
  /** Milliseconds of the check. */
  checkMs: number;
  /** Milliseconds by length. */
  readonly spent: Map<number, number>;
}

async function compareIn(
  storage: Storage,
  comparison: Comparison,
  references: References,
): Promise<PeerRecord[]> {
  const { config, seed, rounds, onStep } = comparison;
  const job: Job = { config, seed, storage, weights: weightsPath({ config, seed, storage }) };
  const runners = comparison.peers.filter(({ storages }) => storages.includes(storage)).map(
    (entry): Runner => {
      const samples = {};
      return { entry, samples, checkMs: 0, spent: new Map(), record: { peer: entry.name, storage, samples } };
    },
  );
  /** Does a part of a peer's work; where that fails, the peer is out. */
  const attempt = async (runner: Runner, body: () => Promise<void>) => {
    try {
      await body();
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      runner.record.failed = error.message;
      await runner.child?.[Symbol.asyncDispose]();
      delete runner.child;
    }
  };
  try {
    for (const runner of runners) {
      const { entry, record } = runner;
      onStep(`${storage}: ${entry.name} loads and is checked`);
      await attempt(runner, async () => {
        if (entry.reads) await writeWeights(entry.reads, job);
        const child = runner.child = await Child.start(entry.module, {
          ...job,
          ...(entry.device && { device: entry.device }),
          ...(entry.weightsDtype && { weightsDtype: entry.weightsDtype }),
        });
        record.ready = child.ready;
        if (entry.bound) return;
        const start = performance.now();
        record.check = await check(child, entry, storage, references, config);
        runner.checkMs = performance.now() - start;
        if (!record.check.right) throw new PeerError(`Its ${record.check.of} are wrong`);
      });
    }
    for (let round = 0; round <= rounds; round++) {
      for (const length of LENGTHS) {
        // A slow one takes part in one round at least.
        const taking = runners.filter(({ spent, record, checkMs }) => {
          if (record.failed !== undefined) return false;
          return round === 0 ? checkMs < SLOW_CHECK_MS : round === 1 || (spent.get(length) ?? 0) < LENGTH_MS;
        });
        for (const ask of [{ ask: "prefill", tokens: length }, { ask: "decode" }] as const) {
          const what = round === 0 ? "warm-up" : `round ${round} of ${rounds}`;
          onStep(`${storage}: ${what}, ${ask.ask} ${length}`);
          for (const runner of taking) await attempt(runner, () => time(runner, { ask, length, round }));
        }
      }
    }
    for (const { child, record, entry } of runners) {
      if (child && !entry.bound) record.peak_bytes = await child.peakBytes();
    }
  } finally {
    for (const { child } of runners) await child?.[Symbol.asyncDispose]();
  }
  return runners.map(({ record }) => record);
}

async function check(
  child: Child,
  { productsOnly }: PeerEntry,
  storage: Storage,
  { logits, row, product }: References,
  { vocabSize }: Gpt2Config,
): Promise<Check> {
  if (productsOnly) {
    const { values } = await child.ask({ ask: "product", name: `${PRODUCT}.weight`, row }, "values");
    return checkOf("product", values, product, TOLERANCE[storage]);
  }
  const ids = promptOf(CHECKED.prompt + CHECKED.further, vocabSize);
  const [prompt, further] = [ids.slice(0, CHECKED.prompt), ids.slice(CHECKED.prompt)];
  const { values } = await child.ask({ ask: "logits", prompt, further }, "values");
  return checkOf("logits", values, logits, TOLERANCE[storage]);
}

/** Times a measure of a round; round 0 warms up. */
async function time(
  { child, record, samples, spent }: Runner,
  { ask, length, round }: {
    readonly ask: Extract<Question, { ask: "prefill" | "decode" }>;
    readonly length: typeof LENGTHS[number];
    readonly round: number;
  },
): Promise<void> {
  if (child === undefined || (record.skipped !== undefined && length !== LENGTHS[0])) return;
  const { is: _, ...timed } = await child.ask(ask, "time"), { ms, steps } = timed;
  spent.set(length, (spent.get(length) ?? 0) + ms * steps);
  if (round > 0) (samples[`${ask.ask}_${length}`] ??= []).push({ round, ...timed });
  const [short, long] = LENGTHS;
  if (ask.ask === "prefill" && length === short && ms > SLOW_PREFILL_MS) {
    record.skipped ??= `not asked for ${long} tokens, since a prefill of ${short} took ${
      Math.round(ms / 1000)
    } s`;
  }
}
