/** The start of every subcommand that computes: an opened GPU, a loaded model and its tokenizer. */
import { assertHeadFits } from "../../formats/kv_dtype.ts";
import { DEFAULT_DTYPE } from "../../formats/registry.ts";
import { GL_COST } from "../../gpu/backend.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { openGpu } from "../../host/gpu.ts";
import type { TensorSource } from "../../checkpoint/checkpoint.ts";
import { Gpt2, samePacking } from "../../model/gpt2.ts";
import type { StepRange } from "../../model/kernels.ts";
import type { Tokenizer } from "../../checkpoint/tokenizer.ts";
import { parameterCount } from "../../checkpoint/config.ts";
import { formatBytes, formatMs } from "../../report/units.ts";
import { type Tuning, tuningFor } from "../../model/tuning.ts";
import { checkMemory, type WorkOf } from "./memory_check.ts";
import { type KnownTuning, knownTuning, measureTuning } from "./tuning_choice.ts";
import { noteCrash } from "./crash_report.ts";
import { gpuOptions } from "../options/device_options.ts";
import type { ModelOptions, PrecisionOptions } from "../options/model_options.ts";
import { progressBar } from "../terminal/progress.ts";
import { openModel, usableTokenizer } from "./open_model.ts";

/** An opened GPU with a model on it. */
export interface Session {
  readonly gpu: Gpu;
  readonly model: Gpt2;
  /** Name of the model. */
  readonly modelName: string;
  /** Undefined if the model has no vocabulary that can be used. */
  readonly tokenizer: Tokenizer | undefined;
  /** True if an earlier run chose the kernel variants by a measurement. */
  readonly remembered: boolean;
  /** Time to find the model, with downloads, in ms. */
  readonly locateMs: number;
  /** Time to measure kernel variants, in ms; 0 where none were measured. */
  readonly tuningMs: number;
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
    const tokenizer = await usableTokenizer(checkpoint);
    const prepared = await prepare(checkpoint, tokenizer);
    const { name: modelName } = checkpoint;
    return await withModel(checkpoint, options, async (model, { remembered, tuningMs }) => {
      return await use(
        { gpu: model.gpu, model, modelName, tokenizer, remembered, locateMs, tuningMs },
        prepared,
      );
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
  use: (model: Gpt2, chosen: KnownTuning & Pick<Session, "tuningMs">) => Promise<T>,
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
    checkMemory(gpu, checkpoint, storage, { work, say: (line) => bar.say(line) });
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
    let tuningMs = 0;
    const measure = async () => {
      phase = "choosing kernel variants";
      const start = performance.now();
      const tuning = await measureTuning(gpu, tuningOptions);
      tuningMs = performance.now() - start;
      return tuning;
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
      result = await use(model, { ...known, tuningMs });
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
    checkMemory(gpu, checkpoint, storage, { work, say: () => {} }); // said when it is loaded
  } finally {
    gpu.abandon();
  }
}

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
