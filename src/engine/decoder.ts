/**
 * The decode loop: prompts in, token ids out, over one model and one strategy. Ids are chosen on the GPU, and come
 * back to the host only when asked for. Owns the sequences' lengths; knows no text.
 *
 * @module
 */
import { readBuffer } from "../gpu/readback.ts";
import type { Kernel } from "../gpu/kernel.ts";
import type { DispatchTimer } from "../gpu/dispatch_timer.ts";
import type { Timestamps } from "../gpu/timestamps.ts";
import type { KvStrategy } from "../kv/strategy.ts";
import type { Gpt2 } from "../model/gpt2.ts";
import type { StepRange } from "../model/kernels.ts";
import { GREEDY, type Sampling } from "../model/sampling.ts";
import { UsageError } from "../base/errors.ts";
import { firstNotFinite, NOT_FINITE } from "../base/finite.ts";
import { BatchRunner } from "./batch_runner.ts";
import { notFiniteError } from "./not_finite.ts";

/** What a decoder is sized for. */
export interface DecoderOptions {
  /** Sequences that are decoded together. */
  readonly nSequences: number;
  /** Tokens of the longest prompt. */
  readonly maxPromptTokens: number;
  /** Tokens of the longest sequence, prompt and new tokens. */
  readonly maxTokens: number;
  /** Rows of logits that a step may ask for; one per sequence unless told otherwise. */
  readonly maxOutputs?: number;
  /** Whether tokens may be sampled. Default: they may. */
  readonly sampled?: boolean;
  /**
   * Whether only what a first step with prompts of `maxPromptTokens` tokens uses is compiled at first, and the rest by
   * {@link Decoder.ready}. Default: everything is compiled at first.
   */
  readonly firstStepFirst?: boolean;
}

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
  readonly #model: Gpt2;
  readonly #strategy: KvStrategy;
  readonly #options: DecoderOptions;
  readonly #runner: BatchRunner;
  #lengths: number[] = [];
  #sampled = false;

  private constructor(model: Gpt2, strategy: KvStrategy, options: DecoderOptions, runner: BatchRunner) {
    this.#model = model;
    this.#strategy = strategy;
    this.#options = options;
    this.#runner = runner;
  }

  /**
   * Compiles the kernels and allocates everything that the steps need. The strategy stays the
   * caller's to dispose of.
   *
   * @throws {UsageError} If a sequence would be longer than the model's context.
   * @throws {KvbenchError} If a kernel does not compile or a buffer is too large.
   */
  static async create(model: Gpt2, strategy: KvStrategy, options: DecoderOptions): Promise<Decoder> {
    const { nSequences, maxPromptTokens, maxTokens } = options;
    if (maxTokens > model.config.nCtx) {
      throw new UsageError(
        `A sequence of ${maxTokens} tokens does not fit: the model's context is ${model.config.nCtx} tokens`,
      );
    }
    const limits = {
      maxRows: nSequences * (strategy.name === "no-cache" ? maxTokens : maxPromptTokens),
      maxSpans: nSequences,
      maxOutputs: options.maxOutputs ?? nSequences,
    };
    const runner = await BatchRunner.create(model, strategy, limits, {
      sampled: options.sampled ?? true,
      ...(options.firstStepFirst && { firstSteps: firstStepOf(options) }),
    });
    return new Decoder(model, strategy, options, runner);
  }

  /**
   * Compiles what a first step did without, where the decoder was made for that first.
   *
   * @throws {KvbenchError} If a kernel does not compile.
   */
  async ready(): Promise<void> {
    if (this.#options.firstStepFirst) await this.#runner.ready();
  }

  /** Dispatches recorded since the decoder was made. */
  get dispatches(): number {
    return this.#runner.dispatches;
  }

  /** Milliseconds that recording steps has taken on the host since the decoder was made; submitting is not in it. */
  get encodeMs(): number {
    return this.#runner.encodeMs;
  }

  /** Milliseconds that handing recorded steps to the GPU has taken on the host since the decoder was made. */
  get submitMs(): number {
    return this.#runner.submitMs;
  }

  /** Times the pass of every submission from now on, or no longer. */
  timePasses(timestamps: Timestamps | undefined): void {
    this.#runner.timePasses(timestamps);
  }

  /** Times every dispatch in a pass of its own from now on, or no longer. Call it between submissions. */
  timeDispatches(timer: DispatchTimer | undefined): void {
    this.#runner.timeDispatches(timer);
  }

  /** Tells of every kernel before its first dispatch from now on, or no longer: the driver may compile it then. */
  watchFirstDispatches(onFirst: ((kernel: Kernel) => void) | undefined): void {
    this.#runner.watchFirstDispatches(onFirst);
  }

  /** Tokens of each sequence so far: the prompt's, and those that recorded steps add. */
  get lengths(): readonly number[] {
    return this.#lengths;
  }

  /**
   * Forgets what was decoded and takes new prompts, one per sequence, and how each sequence's tokens are to be
   * chosen: greedily unless told otherwise.
   *
   * @throws {UsageError} If there is not one prompt per sequence, or one is empty or too long for the decoder.
   */
  begin(prompts: readonly (readonly number[])[], sampling: readonly Sampling[] = []): void {
    this.#checkPrompts(prompts);
    this.#strategy.reset();
    this.#lengths = prompts.map((ids) => ids.length);
    this.#sampled = sampling.some(({ temperature }) => temperature > 0);
    if (this.#sampled) this.#runner.writeSampling(0, prompts.map((_, s) => sampling[s] ?? GREEDY));
    prompts.forEach((ids, s) => this.#runner.writeTokens(s, 0, ids));
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
      this.#runner.writeTokens(s, length, tokens[s]!);
      return length + tokens[s]!.length;
    });
  }

  /**
   * Records `steps` steps, each of which adds one token to every sequence, and submits them. The first
   * step after {@link Decoder.begin} is the prefill. Returns without waiting for the GPU.
   *
   * @throws {UsageError} If a sequence would be longer than the decoder was made for, or its last token's logits
   * have been computed by {@link Decoder.logits} already.
   * @throws {KvbenchError} If the strategy has no room for the tokens.
   */
  advance(steps: number): void {
    for (let i = 0; i < steps; i++) {
      this.#lengths.forEach((length, s) => this.#checkLength(s, length + 1));
      this.#step(1, true);
      this.#lengths = this.#lengths.map((length) => length + 1);
    }
    this.submit();
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
    const { v4 } = this.#model.dims;
    const { vocabSize } = this.#model.config;
    const lengths = this.#lengths; // steps may be added while the copy is under way
    this.#step(rows, false);
    this.submit();
    const nOutputs = lengths.length * rows;
    const bytes = nOutputs * v4 * 16;
    const values = new Float32Array(
      await readBuffer(this.#model.gpu, this.#runner.logits, 0, bytes),
    );
    const all = Array.from(
      { length: nOutputs },
      (_, i) => values.subarray(i * v4 * 4, i * v4 * 4 + vocabSize),
    );
    const bad = all.findIndex((row) => firstNotFinite(row) !== undefined);
    if (bad >= 0) {
      const sequence = Math.floor(bad / rows), length = lengths[sequence]! - rows + bad % rows + 1;
      const ids = (await this.#allIds())[sequence]!.subarray(0, length);
      throw await notFiniteError(this.#model, [...ids], this.#strategy.dtype);
    }
    return all;
  }

  /** Submits what is recorded. */
  submit(): void {
    this.#runner.submit();
  }

  /**
   * Reads the ids of every sequence from position `from` on (one for all, or one for each). Waits for the steps
   * submitted so far.
   *
   * @throws {NotFiniteError} If a token could not be chosen, since a logit is infinite or NaN.
   * @throws {KvbenchError} If the device fails.
   */
  async ids(from: number | readonly number[]): Promise<number[][]> {
    const lengths = this.#lengths; // steps may be added while the copy is under way
    const all = await this.#allIds();
    for (const [s, length] of lengths.entries()) {
      const bad = all[s]!.subarray(0, length).indexOf(NOT_FINITE);
      if (bad < 0) continue;
      throw await notFiniteError(this.#model, [...all[s]!.subarray(0, bad)], this.#strategy.dtype);
    }
    return lengths.map((
      length,
      s,
    ) => [...all[s]!.subarray(typeof from === "number" ? from : from[s]!, length)]);
  }

  /** Frees tables and activations. */
  dispose(): void {
    this.#runner.dispose();
  }

  /** Every sequence's row of ids: [nSequences][nCtx]. */
  async #allIds(): Promise<Uint32Array[]> {
    const { nCtx } = this.#model.config, { nSequences } = this.#options;
    const all = new Uint32Array(
      await readBuffer(this.#model.gpu, this.#runner.tokens, 0, nSequences * nCtx * 4),
    );
    return Array.from({ length: nSequences }, (_, s) => all.subarray(s * nCtx, (s + 1) * nCtx));
  }

  #checkPrompts(prompts: readonly (readonly number[])[]): void {
    const { nSequences, maxPromptTokens } = this.#options;
    if (prompts.length !== nSequences) {
      throw new UsageError(
        `There are ${prompts.length} prompts: this decoder wants ${nSequences}, one per sequence`,
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

  /** Records one step; `outputs` is how many of each sequence's last tokens want logits. */
  #step(outputs: number, choose: boolean): void {
    const spans = this.#lengths.map((length, sequence) => {
      const first = this.#strategy.cached(sequence);
      return { sequence, first, count: length - first, outputs };
    });
    for (const { sequence, count } of spans) {
      if (count >= outputs) continue;
      throw new UsageError(
        `Sequence ${sequence} has ${count} tokens left to compute: wanted at least ${outputs}, ` +
          "whose logits are asked for",
      );
    }
    this.#lengths.forEach((length, s) => this.#strategy.reserve(s, length, () => this.submit()));
    this.#runner.record(spans, !choose ? "none" : this.#sampled ? "sampled" : "greedy");
    this.#lengths.forEach((length, s) => this.#strategy.commit(s, length));
  }
}
