/**
 * The start of every subcommand that computes: an opened GPU, a loaded model and its tokenizer.
 *
 * @module
 */
import { assertHeadFits } from "../../formats/kv_dtype.ts";
import { DEFAULT_DTYPE } from "../../formats/registry.ts";
import { UsageError } from "../../base/errors.ts";
import { GL_COST } from "../../gpu/backend.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { openGpu } from "../../host/gpu.ts";
import { locateConfig, locateModel } from "../../hub/locate.ts";
import type { TensorSource, WeightsOrigin } from "../../checkpoint/checkpoint.ts";
import { Gpt2, samePacking } from "../../model/gpt2.ts";
import type { StepRange } from "../../model/kernels.ts";
import { type Tokenizer, tokenizerFor } from "../../checkpoint/tokenizer.ts";
import { decodeUtf8 } from "../../base/utf8.ts";
import { type Gpt2Config, parameterCount } from "../../checkpoint/config.ts";
import { SyntheticCheckpoint } from "../../checkpoint/synthetic.ts";
import { formatBytes, formatMs } from "../../report/units.ts";
import { type Tuning, tuningFor } from "../../model/tuning.ts";
import { checkMemory, type WorkOf } from "./memory_check.ts";
import { type KnownTuning, knownTuning, measureTuning } from "./tuning_choice.ts";
import { noteCrash } from "./crash_report.ts";
import { gpuOptions } from "../options/device_options.ts";
import { fetchProgress } from "../terminal/fetch_progress.ts";
import type { ModelOptions, PrecisionOptions } from "../options/model_options.ts";
import { progressBar, withProgress } from "../terminal/progress.ts";

/** An opened GPU with a model on it. */
export interface Session {
  readonly gpu: Gpu;
  readonly model: Gpt2;
  /** Name of the model. */
  readonly modelName: string;
  /** Undefined if the model's vocabulary isn't GPT-2's. */
  readonly tokenizer: Tokenizer | undefined;
  /** True if an earlier run chose the kernel variants by a measurement. */
  readonly remembered: boolean;
  /** Time to find the model, with downloads, in ms. */
  readonly locateMs: number;
}

/** First use of a model. */
interface Beginning {
  /** Computes the memory need besides the weights. Default: one sequence of a full context. */
  readonly work?: WorkOf | undefined;
  /** True to measure kernel variants if none are remembered. Default: only with `--retune`. */
  readonly tunes?: boolean;
  /** First steps, whose kernels are compiled while the weights are loaded. Default: none. */
  readonly firstSteps?: StepRange;
  /** Called with the model before variants are measured. */
  readonly look?: (model: Gpt2) => Promise<void>;
}

/**
 * Opens the GPU, loads a model, and runs `use`; frees everything afterwards, also after failures.
 *
 * @param prepare Called with the checkpoint before the GPU is opened, to refuse early what can't work. Its result is
 * passed to `use` and `begin`.
 * @param begin Returns the first use of the model.
 * @throws {UsageError | KvbenchError} If there is no such model, no adapter, it does not fit, or `prepare` or `use` fails.
 */
export async function withSession<P, T>(
  options: PrecisionOptions | ModelOptions,
  prepare: (checkpoint: TensorSource, tokenizer: Tokenizer | undefined) => Promise<P>,
  use: (session: Session, prepared: P) => Promise<T>,
  begin: (prepared: P) => Beginning = () => ({}),
): Promise<T> {
  const start = performance.now();
  const checkpoint = await openModel(options);
  const locateMs = performance.now() - start;
  try {
    const tokenizer = await tokenizerFor(checkpoint.config);
    const prepared = await prepare(checkpoint, tokenizer);
    const { name: modelName } = checkpoint;
    return await withModel(checkpoint, options, async (model, { remembered }) => {
      return await use({ gpu: model.gpu, model, modelName, tokenizer, remembered, locateMs }, prepared);
    }, begin(prepared));
  } finally {
    checkpoint.close();
  }
}

/**
 * Opens the GPU, loads a model, and runs `use`; frees both afterwards, also after failures.
 *
 * @throws {KvbenchError} If there is no adapter, the model does not fit or is damaged, or `use` fails.
 */
export async function withModel<T>(
  checkpoint: TensorSource,
  options: PrecisionOptions | ModelOptions,
  use: (model: Gpt2, known: KnownTuning) => Promise<T>,
  { work, tunes = false, firstSteps, look }: Beginning = {},
): Promise<T> {
  if ("kvDtype" in options) assertHeadFits(options.kvDtype, checkpoint.config.headDim);
  const bar = progressBar();
  const gpu = await openGpu(gpuOptions(options));
  if (gpu.facts.backend === "gl") {
    bar.say(`kvbench: the adapter is reached through OpenGL. ${GL_COST}; \`doctor\` tells how to get Vulkan`);
  }
  let phase = "opening";
  try {
    const storage = { ...options, ...tuningFor(gpu.facts) };
    await checkMemory(gpu, checkpoint, storage, { work, say: (line) => bar.say(line) });
    const tuningOptions = { kvDtype: DEFAULT_DTYPE, ...options, config: checkpoint.config } as const;
    const known = await knownTuning(gpu, tuningOptions);
    const load = async (tuning: Tuning): Promise<Gpt2> => {
      phase = "loading weights";
      bar.start(
        `Loading weights as ${options.weightsDtype}`,
        parameterCount(checkpoint.config),
        "parameters",
      );
      const watch = watchMemory();
      const model = await Gpt2.load(gpu, checkpoint, {
        tuning,
        weightsDtype: options.weightsDtype,
        ...(firstSteps && { firstSteps }),
        onProgress: (elements) => {
          watch.look();
          bar.update(elements);
        },
      });
      bar.stop();
      sayLoaded(gpu.ledger.current.weights, watch);
      return model;
    };
    const measure = () => {
      phase = "choosing kernel variants";
      return measureTuning(gpu, tuningOptions);
    };
    const measures = options.autotune && (options.retune || tunes && !known.remembered);
    // Without a first look, variants are measured before the weights are loaded.
    let loaded = await load(measures && !look ? await measure() : known.tuning);
    let result: T;
    try {
      let model = loaded;
      if (look) {
        phase = "a first look";
        await look(model);
        if (measures) {
          const tuning = await measure();
          if (samePacking(tuning, loaded.tuning)) {
            model = loaded.withTuning(tuning);
          } else {
            loaded.dispose();
            model = loaded = await load(tuning);
          }
        }
      }
      phase = "running";
      result = await use(model, known);
    } finally {
      loaded.dispose();
    }
    gpu.dispose();
    return result;
  } catch (error) {
    noteCrash(error, { phase, gpu });
    throw error;
  } finally {
    bar.stop();
    gpu.abandon(); // does nothing after a success
  }
}

/**
 * Refuses work that does not fit, without loading anything.
 *
 * @throws {KvbenchError} If there is no adapter, or the model does not fit with this work.
 */
export async function expectFit(
  checkpoint: TensorSource,
  options: PrecisionOptions | ModelOptions,
  work: WorkOf,
): Promise<void> {
  const gpu = await openGpu(gpuOptions(options));
  try {
    const storage = { ...options, ...tuningFor(gpu.facts) };
    await checkMemory(gpu, checkpoint, storage, { work, say: () => {} }); // said when it is loaded
  } finally {
    gpu.abandon();
  }
}

/** Hashes a model's weights, for the record of a measurement. */
export async function hashed(checkpoint: TensorSource): Promise<WeightsOrigin> {
  return await withProgress((bar) => {
    bar.start("Hashing weights");
    return checkpoint.origin();
  });
}

/** Finds, fetches or makes up the model that the options name. */
async function openModel({ model, weights: seed }: ModelOptions): Promise<TensorSource> {
  const bar = progressBar();
  const events = fetchProgress(bar);
  try {
    if (seed === undefined) return await locateModel(model, { events });
    const config = await locateConfig(model, { events });
    bar.say(`Synthetic weights: speed and memory are those of ${model}, what it says means nothing`);
    return synthetic(model, config, seed);
  } finally {
    bar.stop();
  }
}

/** Watches the process's memory. */
function watchMemory(): { look(): void; readonly peakBytes: number; readonly started: number } {
  let peakBytes = 0;
  const look = () => peakBytes = Math.max(peakBytes, Deno.memoryUsage().rss);
  look();
  return {
    look,
    get peakBytes() {
      look();
      return peakBytes;
    },
    started: performance.now(),
  };
}

/** Size of weights from which their loading is reported. */
const WORTH_A_WORD_BYTES = 256 * 2 ** 20;

/** Reports time and memory of loading, for large weights. */
function sayLoaded(weightsBytes: number, { peakBytes, started }: ReturnType<typeof watchMemory>): void {
  if (weightsBytes < WORTH_A_WORD_BYTES) return;
  const ms = performance.now() - started;
  console.error(
    `Loaded ${formatBytes(weightsBytes)} of weights in ${formatMs(ms)}; this process took ${
      formatBytes(peakBytes)
    } ` +
      "of memory at most",
  );
}

/** Makes a model of random weights, whose name says so wherever it appears. */
function synthetic(name: string, config: Gpt2Config, seed: number): SyntheticCheckpoint {
  return new SyntheticCheckpoint(`${name} (synthetic weights, seed ${seed})`, config, seed);
}

/** Most bytes of a prompt's text: longer ones can't fit a context, and encoding time grows quadratically. */
const MAX_PROMPT_BYTES = 64 << 10;

/** A prompt on the command line. */
interface PromptOptions {
  readonly prompt: string | undefined;
  readonly promptIds: readonly number[] | undefined;
}

/**
 * Returns the ids of a prompt: the given ids, or those of the text, which is read from stdin if it is not given.
 *
 * @throws {UsageError} If there is no prompt, two of them, or no tokenizer for a text.
 */
export async function promptIds(
  options: PromptOptions,
  tokenizer: Tokenizer | undefined,
): Promise<{ text: string | null; ids: readonly number[] }> {
  if (options.promptIds !== undefined) {
    if (options.prompt !== undefined) {
      throw new UsageError("Both a prompt and --prompt-ids are given: expected one");
    }
    return { text: null, ids: options.promptIds };
  }
  if (options.prompt?.includes("\ufffd")) {
    throw new UsageError(
      "The prompt holds U+FFFD, which also stands for bytes that are not UTF-8: expected other text, or the prompt on stdin",
    );
  }
  const text = options.prompt ?? await readStdin();
  if (text === "") {
    throw new UsageError("The prompt is empty: expected text as an argument or on stdin, or --prompt-ids");
  }
  if (new TextEncoder().encode(text).length > MAX_PROMPT_BYTES) {
    throw new UsageError(`The prompt is too long: expected at most ${MAX_PROMPT_BYTES} bytes of text`);
  }
  if (!tokenizer) {
    throw new UsageError("This model has no tokenizer (its vocabulary isn't GPT-2's): expected --prompt-ids");
  }
  return { text, ids: tokenizer.encode(text) };
}

function tooLong(): UsageError {
  return new UsageError(`The prompt is too long: expected at most ${MAX_PROMPT_BYTES} bytes of text`);
}

async function readStdin(): Promise<string> {
  if (Deno.stdin.isTerminal()) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of Deno.stdin.readable) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_PROMPT_BYTES) throw tooLong();
  }
  const all = new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  return decodeUtf8(all, "stdin").trimEnd();
}
