/**
 * The decode loop: prompts in, token ids out, over one model and one strategy. Ids are chosen on the GPU, and come
 * back to the host only when asked for. Owns the sequences' lengths; knows no text.
 */
import { KvbenchError, UsageError } from "../base/errors.ts";
import { DEFAULT_DTYPE, type Dtype } from "../formats/registry.ts";
import type { Kv } from "../kv/strategy_def.ts";
import type { Model } from "../model/model.ts";
import type { StepRange } from "../model/kernels.ts";
import { firstNotFinite } from "../base/finite.ts";
import { GREEDY, type Sampling } from "../model/sampling.ts";
import { assertChosen, notFiniteError } from "./not_finite.ts";
import { Runner } from "./runner.ts";
import { inOrder, type Steps } from "./steps.ts";

/** Sizes of a decoder, and the strategy that keeps its K and V. */
export interface DecodingOptions {
  /** Name of the strategy. */
  readonly strategy: string;
  /** Options of the strategy, by their names in results. Default: its own defaults. */
  readonly kvOptions?: Readonly<Record<string, string | number | null>>;
  /** Sequences that are decoded together. */
  readonly nSequences: number;
  /** Tokens of the longest prompt. */
  readonly maxPromptTokens: number;
  /** Tokens of the longest sequence, prompt and new tokens. */
  readonly maxTokens: number;
  /** Rows of logits that a step may ask for. Default: one per sequence. */
  readonly maxOutputs?: number;
  /** Storage type of K and V. Default: f32. */
  readonly kvDtype?: Dtype;
  /** True if tokens may be sampled. Default: true. */
  readonly sampled?: boolean;
  /**
   * True if only what a first step with prompts of `maxPromptTokens` tokens uses is compiled at first, and the rest by
   * {@link Decoder.ready}. Default: everything is compiled at first.
   */
  readonly firstStepFirst?: boolean;
}

type DecoderOptions = Omit<DecodingOptions, "strategy" | "kvOptions">;

/** The first step of a decoder: its prompts, each as long as they may be. */
export function firstStepOf(
  { nSequences, maxPromptTokens, sampled = true }: Omit<DecoderOptions, "maxTokens">,
): StepRange {
  const rows = nSequences * maxPromptTokens, prefill = maxPromptTokens > 1;
  return {
    rows: [rows, rows],
    outputs: [nSequences, nSequences],
    prefill,
    decode: !prefill,
    greedy: !sampled,
    sampled,
  };
}

/** Decodes a fixed set of sequences in step with each other. */
export class Decoder {
  /** @internal Records, submits and reads the steps; counts and times them. */
  readonly runner: Runner;
  readonly #model: Model;
  readonly #options: DecoderOptions;
  #lengths: number[] = [];
  #sampled = false;
  /** Steps that wait for the host, after which the next ones are recorded. */
  #waiting: Promise<void> | undefined;

  private constructor(model: Model, runner: Runner, options: DecoderOptions) {
    this.#model = model;
    this.runner = runner;
    this.#options = options;
  }

  /**
   * Compiles the strategy's kernels and allocates everything that the steps need, the K/V memory among it.
   *
   * @throws {UsageError} If a sequence would be longer than the model's context.
   * @throws {KvbenchError} If a kernel does not compile or a buffer is too large.
   */
  static async create(model: Model, kv: Kv, options: DecoderOptions): Promise<Decoder> {
    const { nSequences, maxPromptTokens, maxTokens, maxOutputs, kvDtype } = options;
    const { sampled = true, firstStepFirst = false } = options;
    if (maxTokens > model.config.nCtx) {
      throw new UsageError(
        `A sequence of ${maxTokens} tokens does not fit: the model's context is ${model.config.nCtx} tokens, the positions that it has learned`,
      );
    }
    const { traits: { keeps }, maxChunk } = kv.policy;
    const runner = await Runner.create(model, kv, {
      maxSequences: nSequences,
      maxRows: nSequences * (keeps === "nothing" ? maxTokens : Math.min(maxPromptTokens, maxChunk)),
      movesSlots: false,
      sampled,
      // Prompts that are computed in several steps use more than the first one.
      ...(firstStepFirst && maxPromptTokens <= maxChunk && { firstSteps: firstStepOf(options) }),
      ...(maxOutputs !== undefined && { maxOutputs }),
      ...(kvDtype && { kvDtype }),
    });
    return new Decoder(model, runner, options);
  }

  /**
   * Compiles what a first step did without, where the decoder was made for that first.
   *
   * @throws {KvbenchError} If a kernel does not compile.
   */
  async ready(): Promise<void> {
    if (this.#options.firstStepFirst) await this.runner.ready();
  }

  /** Tokens of each sequence so far: the prompt's, and those that recorded steps add. */
  get lengths(): readonly number[] {
    return this.#lengths;
  }

  /**
   * Forgets what was decoded and takes new prompts, one per sequence, and how each sequence's tokens are chosen.
   * Default: greedily.
   *
   * @throws {UsageError} If there is not one prompt per sequence, or one is empty or too long for the decoder.
   * @throws {KvbenchError} If the strategy has no room for the prompts.
   */
  begin(prompts: readonly (readonly number[])[], sampling: readonly Sampling[] = []): void {
    this.#checkPrompts(prompts);
    this.reset();
    prompts.forEach((ids, sequence) => this.#open(sequence, ids.length));
    this.#lengths = prompts.map((ids) => ids.length);
    this.#sampled = sampling.some(({ temperature }) => temperature > 0);
    if (this.#sampled) this.runner.writeSampling(0, prompts.map((_, s) => sampling[s] ?? GREEDY));
    prompts.forEach((ids, s) => this.runner.writeTokens(s, 0, ids));
  }

  /** Forgets what was decoded. Memory that was reserved up front stays. */
  reset(): void {
    const { policy, pool } = this.runner;
    // Downwards, so that memory is handed out again in the order of the first time.
    for (let sequence = this.#lengths.length - 1; sequence >= 0; sequence--) policy.release(sequence);
    this.#lengths = [];
    const moves = policy.takeMoves();
    if (moves.length === 0) return;
    this.runner.submit();
    pool.moveNow(moves);
  }

  /**
   * Adds given tokens to every sequence, as a further part of the prompts: [nSequences][1 to maxPromptTokens].
   *
   * @throws {UsageError} If a part is empty or too long for the decoder.
   */
  append(tokens: readonly (readonly number[])[]): void {
    this.#checkPrompts(tokens);
    this.#lengths.forEach((length, s) => this.#checkLength(s, length + tokens[s]!.length));
    this.#lengths = this.#lengths.map((length, s) => {
      this.runner.writeTokens(s, length, tokens[s]!);
      return length + tokens[s]!.length;
    });
  }

  /**
   * Records `steps` steps, each of which adds one token to every sequence, and submits them. The first
   * step after {@link Decoder.begin} is the prefill. Returns without waiting for the GPU.
   *
   * @returns What to await before a clock is read, where the strategy has to wait within the steps; undefined for others.
   *
   * @throws {UsageError} If a sequence would be longer than the decoder was made for, or its last token's logits
   * have been computed by {@link Decoder.logits} already.
   * @throws {KvbenchError} If the strategy has no room for the tokens.
   */
  advance(steps: number): Promise<void> | undefined {
    return this.#inTurn(() => this.#advance(steps));
  }

  *#advance(steps: number): Steps {
    for (let i = 0; i < steps; i++) {
      this.#lengths.forEach((length, s) => this.#checkLength(s, length + 1));
      yield* this.#step(1, true);
      this.#lengths = this.#lengths.map((length) => length + 1);
    }
    this.runner.submit();
  }

  /** Begins steps when those before are recorded. */
  #inTurn(steps: () => Steps): Promise<void> | undefined {
    const waiting = this.#waiting ? this.#waiting.then(() => inOrder(steps())) : inOrder(steps());
    if (waiting === undefined) return undefined;
    const recorded = waiting.finally(() => {
      if (this.#waiting === recorded) this.#waiting = undefined;
    });
    recorded.catch(() => {}); // told to whoever awaits the steps, or what they compute
    return this.#waiting = recorded;
  }

  /**
   * Computes what has not been computed and reads the logits of each sequence's last `rows` tokens, in order:
   * [nSequences * rows, vocabSize] as one array per row.
   *
   * @throws {UsageError} If fewer than `rows` tokens are left to compute.
   * @throws {NotFiniteError} If a logit is infinite or NaN.
   * @throws {KvbenchError} If the device fails.
   */
  async logits(rows = 1): Promise<Float32Array[]> {
    const lengths = this.#lengths; // steps may be added while the copy is under way
    const waiting = this.#inTurn(() => this.#step(rows, false, lengths));
    if (waiting) await waiting;
    this.runner.submit();
    const all = await this.runner.logits(Array.from({ length: lengths.length * rows }, (_, row) => row));
    const bad = all.findIndex((row) => firstNotFinite(row) !== undefined);
    if (bad >= 0) {
      const sequence = Math.floor(bad / rows), count = lengths[sequence]! - rows + bad % rows + 1;
      const [ids] = await this.runner.tokens([{ sequence, first: 0, count }]);
      throw await notFiniteError(this.#model, ids!, this.#options.kvDtype ?? DEFAULT_DTYPE);
    }
    return all;
  }

  /**
   * Reads the ids of every sequence from position `from` on (one for all, or one for each). Waits for the steps
   * submitted so far.
   *
   * @throws {NotFiniteError} If a token could not be chosen, since a logit is infinite or NaN.
   * @throws {KvbenchError} If the device fails.
   */
  async ids(from: number | readonly number[]): Promise<number[][]> {
    if (this.#waiting) await this.#waiting;
    const all = await this.runner.tokens(
      this.#lengths.map((length, sequence) => ({ sequence, first: 0, count: length })),
    );
    const { kvDtype = DEFAULT_DTYPE } = this.#options;
    for (const ids of all) await assertChosen(this.#model, ids, kvDtype);
    return all.map((ids, s) => ids.slice(typeof from === "number" ? from : from[s]!));
  }

  /** Frees everything. */
  dispose(): void {
    this.runner.dispose();
  }

  #open(sequence: number, promptTokens: number): void {
    const { policy } = this.runner;
    const request = { promptTokens, newTokens: Math.max(1, this.#options.maxTokens - promptTokens) };
    const known = { nTokens: 0, nKnown: promptTokens, prefix: [], alone: true };
    if (policy.admit({ request, sequences: [sequence], ...known })) return;
    throw new KvbenchError(
      `Cannot keep ${promptTokens} tokens of sequence ${sequence}: ${policy.nFree} tokens of K/V are free`,
    );
  }

  #checkPrompts(prompts: readonly (readonly number[])[]): void {
    const { nSequences, maxPromptTokens } = this.#options;
    if (prompts.length !== nSequences) {
      throw new UsageError(
        `There are ${prompts.length} prompts: this decoder takes ${nSequences}, one per sequence`,
      );
    }
    for (const { length } of prompts) {
      if (length >= 1 && length <= maxPromptTokens) continue;
      throw new UsageError(`A prompt of ${length} tokens: this decoder takes from 1 to ${maxPromptTokens}`);
    }
  }

  #checkLength(sequence: number, length: number): void {
    if (length <= this.#options.maxTokens) return;
    throw new UsageError(
      `Sequence ${sequence} would have ${length} tokens: this decoder was made for ${this.#options.maxTokens}`,
    );
  }

  /** Records what has not been computed; `outputs` of each sequence's last tokens get logits. */
  *#step(outputs: number, choose: boolean, lengths = this.#lengths): Steps {
    const targets = lengths.map((length, sequence) => ({ sequence, length, outputs }));
    for (const { sequence, length } of targets) {
      const count = length - this.runner.policy.firstToCompute(sequence);
      if (count >= outputs) continue;
      throw new UsageError(
        `Sequence ${sequence} has ${count} tokens left to compute: expected at least ${outputs}, ` +
          "whose logits are asked for",
      );
    }
    yield* this.runner.compute(targets, !choose ? "none" : this.#sampled ? "sampled" : "greedy");
  }
}
