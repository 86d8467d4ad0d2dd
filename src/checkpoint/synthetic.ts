/**
 * Synthetic weights: seeded values of GPT-2's initialisation scale for any configuration, so that full-size speed and
 * memory can be measured without a checkpoint. The model's output means nothing.
 *
 * Scale as in GPT-2's initialisation (Radford et al. 2019, section 2.3): 0.02, residual projections divided by
 * √(2 · nLayer), biases 0, norms 1 and 0.
 */
import type { ReadVocabulary, RowRange, TensorSource, WeightsOrigin } from "./checkpoint.ts";
import { tensorShapes } from "./tensors.ts";
import { KvbenchError } from "../base/errors.ts";
import type { Gpt2Config } from "./config.ts";

const STANDARD_DEVIATION = 0.02;
/** Standard deviation of the sum of four bytes, the root of 4 · (256² − 1) / 12, and the mean of that sum. */
const BYTES_DEVIATION = Math.sqrt(4 * (256 ** 2 - 1) / 12), BYTES_MEAN = 510;

/** A model whose tensors are generated when they are read. */
export class SyntheticCheckpoint implements TensorSource {
  readonly name: string;
  readonly config: Gpt2Config;
  readonly vocabulary: ReadVocabulary | undefined;
  readonly #seed: number;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  readonly #scale: number; // of a residual projection

  /**
   * Generates nothing yet.
   *
   * @param name Name of the model.
   * @param seed Equal seeds give equal weights.
   * @param vocabulary Reads the model's own vocabulary. Default: it has none.
   */
  constructor(name: string, config: Gpt2Config, seed: number, vocabulary?: ReadVocabulary) {
    this.name = name;
    this.config = config;
    this.vocabulary = vocabulary;
    this.#seed = seed;
    this.#shapes = tensorShapes(config);
    this.#scale = STANDARD_DEVIATION / Math.sqrt(2 * config.nLayer);
  }

  /**
   * Generates a tensor, or some of its rows.
   *
   * @throws {KvbenchError} If there is no such tensor.
   */
  read(tensor: string, rows?: RowRange): Promise<Float32Array<ArrayBuffer>> {
    const shape = this.#shapes.get(tensor);
    if (!shape) return Promise.reject(new KvbenchError(`There is no tensor ${tensor}`));
    const width = shape.slice(1).reduce((product, size) => product * size, 1);
    const { first, count } = rows ?? { first: 0, count: shape[0]! };
    const values = new Float32Array(count * width);
    if (shape.length === 1) {
      if (/ln_\w+\.weight$/.test(tensor)) values.fill(1);
      return Promise.resolve(values);
    }
    const scale = tensor.endsWith("c_proj.weight") ? this.#scale : STANDARD_DEVIATION;
    fill(values, { first: first * width, key: hash(tensor, this.#seed), scale });
    return Promise.resolve(values);
  }

  origin(): Promise<WeightsOrigin> {
    return Promise.resolve({ source: "synthetic", seed: this.#seed });
  }

  /** Does nothing: nothing is open. */
  close(): void {}
}

/**
 * Fills an array with values that depend on their index alone: the sum of the four bytes of a hash (`lowbias32`,
 * Wellons 2018), bell-shaped within ±3.4 standard deviations (Irwin-Hall, n = 4).
 */
function fill(
  values: Float32Array,
  { first, key, scale }: { first: number; key: number; scale: number },
): void {
  const factor = scale / BYTES_DEVIATION;
  for (let i = 0; i < values.length; i++) {
    let x = (first + i + key) | 0;
    x = Math.imul(x ^ x >>> 16, 0x7feb352d);
    x = Math.imul(x ^ x >>> 15, 0x846ca68b);
    x ^= x >>> 16;
    values[i] = ((x & 255) + (x >>> 8 & 255) + (x >>> 16 & 255) + (x >>> 24) - BYTES_MEAN) * factor;
  }
}

/** Hashes a name and a seed (FNV-1a). */
function hash(text: string, seed: number): number {
  let value = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value;
}
