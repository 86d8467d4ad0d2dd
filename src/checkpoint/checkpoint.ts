/**
 * A GPT-2 checkpoint in Hugging Face layout: a configuration and the tensors it calls for, checked against each
 * other before any tensor is read. Owns the open files; knows neither their origin nor the GPU.
 */
import { KvbenchError } from "../base/errors.ts";
import type { ByteSource } from "./byte_source.ts";
import { type Gpt2Config, parseConfig } from "./config.ts";
import { firstNotFinite } from "../base/finite.ts";
import { sha256Hex } from "../base/sha256.ts";
import { type RowRange, SafetensorsFile, unusable } from "./safetensors.ts";
import { EMBEDDING, HEAD, matchTensors, type StoredTensor } from "./tensors.ts";

export type { RowRange } from "./safetensors.ts";

/** Origin of weights: a file with this SHA-256 in hex, or a seed. */
export type WeightsOrigin =
  | { readonly source: "checkpoint"; readonly sha256: string }
  | { readonly source: "synthetic"; readonly seed: number };

/** A model's configuration and tensors, of any origin. */
export interface TensorSource {
  /** Name of the model. */
  readonly name: string;
  /** Dimensions of the model. */
  readonly config: Gpt2Config;
  /**
   * Reads the files of the model's own vocabulary: texts by name, and the folder for messages. Default: it has none.
   *
   * @returns Undefined if there are no such files.
   * @throws {KvbenchError} If one can't be read.
   */
  readonly vocabulary?:
    | (() => Promise<
      { readonly texts: Readonly<Record<string, string>>; readonly folder: string } | undefined
    >)
    | undefined;
  /**
   * Returns the origin of the values, for results.
   *
   * @throws {KvbenchError} If a file can't be read.
   */
  origin(): Promise<WeightsOrigin>;
  /**
   * Reads a tensor as float32, row-major, in the shape that {@linkcode tensorShapes} states.
   *
   * @param tensor A name of {@linkcode tensorShapes}, e.g. `h.0.attn.c_attn.weight`.
   * @param rows Rows of its first dimension. Default: all.
   * @throws {KvbenchError} If there is no such tensor, or it can't be read.
   */
  read(
    tensor: string,
    rows?: { readonly first: number; readonly count: number },
  ): Promise<Float32Array<ArrayBuffer>>;
  /** Frees what it holds open. */
  close(): void;
}

/** Reads a vocabulary's files. */
export type ReadVocabulary = NonNullable<TensorSource["vocabulary"]>;

/** The files of one vocabulary. */
export type VocabularyFiles = NonNullable<Awaited<ReturnType<ReadVocabulary>>>;

export interface WeightsFile {
  readonly bytes: ByteSource;
  readonly name: string;
}

/** The files of a checkpoint. */
interface CheckpointFiles {
  /** Name of the model in results and messages. */
  readonly name: string;
  /** Text of `config.json`. */
  readonly configJson: string;
  /** Name of `config.json` in messages. */
  readonly configName: string;
  /** `model.safetensors`, or the files that share its tensors. */
  readonly weights: readonly WeightsFile[];
  /** Reads the vocabulary's files. Default: there are none. */
  readonly vocabulary?: ReadVocabulary;
}

/**
 * Opens a checkpoint: reads the configuration and the header of the weights, and checks that every tensor is
 * there in its shape. A stored head whose float32 values equal the token embedding's bit by bit is tied; any other is a
 * matrix of its own, whatever the configuration says. Takes over `files.weights`, and closes them if this fails.
 *
 * @throws {KvbenchError} If the files can't be read, or don't hold one GPT-2 model.
 */
export async function openCheckpoint(files: CheckpointFiles): Promise<Checkpoint> {
  try {
    const config = parseConfig(parseJson(files.configJson, files.configName), files.configName);
    const opened: SafetensorsFile[] = [];
    for (const { bytes, name } of files.weights) opened.push(await SafetensorsFile.open(bytes, name));
    const tensors = matchTensors(config, opened, files.configName);
    const head = tensors.get(HEAD);
    const tieWordEmbeddings = head === undefined || await areEqual(tensors.get(EMBEDDING)!, head, config);
    if (tieWordEmbeddings) tensors.delete(HEAD);
    return new Checkpoint({
      name: files.name,
      config: { ...config, tieWordEmbeddings },
      vocabulary: files.vocabulary,
      files: opened,
      tensors,
    });
  } catch (error) {
    for (const { bytes } of files.weights) bytes.close();
    throw error;
  }
}

/** An open checkpoint whose tensors have the right names and shapes. Made by {@linkcode openCheckpoint}. */
export class Checkpoint implements TensorSource {
  /** Name of the model. */
  readonly name: string;
  /** Dimensions of the model. */
  readonly config: Gpt2Config;
  /** Reads the files of the model's own vocabulary. */
  readonly vocabulary: ReadVocabulary | undefined;
  /** Bytes of the tensors as stored. */
  readonly storedBytes: number;
  readonly #files: readonly SafetensorsFile[];
  readonly #tensors: ReadonlyMap<string, StoredTensor>;

  /** Use {@linkcode openCheckpoint}, which checks the parts against each other. */
  constructor(parts: {
    readonly name: string;
    readonly config: Gpt2Config;
    readonly vocabulary: ReadVocabulary | undefined;
    readonly files: readonly SafetensorsFile[];
    readonly tensors: ReadonlyMap<string, StoredTensor>;
  }) {
    this.name = parts.name;
    this.config = parts.config;
    this.vocabulary = parts.vocabulary;
    this.#files = parts.files;
    this.#tensors = parts.tensors;
    this.storedBytes = [...parts.tensors.values()]
      .reduce((sum, { file, stored }) => sum + (file.tensors.get(stored)?.byteLength ?? 0), 0);
  }

  /**
   * Reads a tensor as float32, row-major, in the shape that {@linkcode tensorShapes} states.
   *
   * @param tensor A name of {@linkcode tensorShapes}, e.g. `h.0.attn.c_attn.weight`.
   * @param rows Rows of its first dimension. Default: all.
   * @throws {KvbenchError} If there is no such tensor, it holds a value that is not finite, or the file can't be read.
   */
  async read(tensor: string, rows?: RowRange): Promise<Float32Array<ArrayBuffer>> {
    const found = this.#tensors.get(tensor);
    if (found === undefined) {
      throw new KvbenchError(`Model ${this.name} has no tensor ${JSON.stringify(tensor)}`);
    }
    const { file, stored } = found;
    const values = await file.readF32(stored, rows);
    const bad = firstNotFinite(values);
    if (bad !== undefined) {
      const at = bad + (rows === undefined ? 0 : rows.first * values.length / rows.count);
      throw unusable(
        file.name,
        `tensor ${stored} holds ${values[bad]} at element ${at}, expected finite weights`,
      );
    }
    return values;
  }

  /**
   * Hashes the weights: the file or, where there are several, their hashes in order.
   *
   * @throws {KvbenchError} If a file can't be read.
   */
  async origin(): Promise<WeightsOrigin> {
    const hashes: string[] = [];
    for (const file of this.#files) hashes.push(await file.sha256());
    const [only] = hashes;
    const sha256 = hashes.length === 1 && only
      ? only
      : await sha256Hex(new TextEncoder().encode(hashes.join(" ")));
    return { source: "checkpoint", sha256 };
  }

  close(): void {
    for (const file of this.#files) file.close();
  }
}

/** Bytes of each tensor that are compared at once. */
const COMPARED_BYTES = 4 << 20;

/** Tells whether two tensors of the token embedding's shape hold the same float32 values, bit for bit. */
async function areEqual(
  a: StoredTensor,
  b: StoredTensor,
  { vocabSize, nEmbd }: Gpt2Config,
): Promise<boolean> {
  const perBand = Math.max(1, Math.floor(COMPARED_BYTES / (4 * nEmbd)));
  for (let first = 0; first < vocabSize; first += perBand) {
    const rows = { first, count: Math.min(perBand, vocabSize - first) };
    const [left, right] = await Promise.all(
      [a, b].map(async ({ file, stored }) => new Uint32Array((await file.readF32(stored, rows)).buffer)),
    ) as [Uint32Array<ArrayBuffer>, Uint32Array<ArrayBuffer>];
    const isEqual = left.every((bits, i) => bits === right[i]);
    // Freed now: the garbage collector would let them pile up.
    for (const { buffer } of [left, right]) buffer.transfer(0);
    if (!isEqual) return false;
  }
  return true;
}

/**
 * Parses the JSON of a model's file.
 *
 * @param name Name of the file in messages.
 * @throws {KvbenchError} If it is not JSON.
 */
export function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unusable(name, "it is not JSON");
  }
}
