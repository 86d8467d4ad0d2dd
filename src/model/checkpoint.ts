/**
 * A GPT-2 checkpoint in Hugging Face layout: a configuration and the tensors it calls for, checked against each
 * other before any tensor is read. It owns the open file, and knows neither where it came from nor the GPU.
 *
 * @module
 */
import { KvbenchError } from "../errors.ts";
import type { ByteSource } from "./byte_source.ts";
import { type Gpt2Config, parseConfig } from "./config.ts";
import {
  FLOAT_DTYPES,
  isFloatDtype,
  type RowRange,
  SafetensorsFile,
  type TensorInfo,
} from "./safetensors.ts";

export type { RowRange } from "./safetensors.ts";

/** Where weights come from: a file with this SHA-256 in hex, or a seed. */
export type WeightsOrigin =
  | { readonly source: "checkpoint"; readonly sha256: string }
  | { readonly source: "synthetic"; readonly seed: number };

/** A model's configuration and tensors, wherever they come from. */
export interface TensorSource {
  /** What the model is called. */
  readonly name: string;
  /** The model's dimensions. */
  readonly config: Gpt2Config;
  /**
   * Where the values come from, for results.
   *
   * @throws {KvbenchError} If a file can't be read.
   */
  origin(): Promise<WeightsOrigin>;
  /**
   * Reads a tensor as float32, row-major, in the shape that {@linkcode tensorShapes} states.
   *
   * @param tensor A name of {@linkcode tensorShapes}, e.g. `h.0.attn.c_attn.weight`.
   * @param rows Which rows of its first dimension: all, unless told otherwise.
   * @throws {KvbenchError} If there is no such tensor, or it can't be read.
   */
  read(tensor: string, rows?: RowRange): Promise<Float32Array<ArrayBuffer>>;
  /** Frees what it holds open. */
  close(): void;
}

/** The two files of a checkpoint. */
export interface CheckpointFiles {
  /** What the model is called in results and messages. */
  readonly name: string;
  /** Text of `config.json`. */
  readonly configJson: string;
  /** What messages call `config.json`. */
  readonly configName: string;
  /** Bytes of `model.safetensors`. */
  readonly weights: ByteSource;
  /** What messages call `model.safetensors`. */
  readonly weightsName: string;
}

/**
 * Opens a checkpoint: reads the configuration and the header of the weights, and checks that every tensor is
 * there in its shape. Takes over `files.weights`, which is closed if this fails.
 *
 * @throws {KvbenchError} If the files can't be read, or don't hold one GPT-2 model.
 */
export async function openCheckpoint(files: CheckpointFiles): Promise<Checkpoint> {
  try {
    const config = parseConfig(parseJson(files.configJson, files.configName), files.configName);
    const file = await SafetensorsFile.open(files.weights, files.weightsName);
    return new Checkpoint({ name: files.name, config, file, storedNames: matchTensors(config, file, files) });
  } catch (error) {
    files.weights.close();
    throw error;
  }
}

/** An open checkpoint whose tensors have the right names and shapes. Made by {@linkcode openCheckpoint}. */
export class Checkpoint implements TensorSource {
  /** What the model is called. */
  readonly name: string;
  /** The model's dimensions. */
  readonly config: Gpt2Config;
  /** Bytes of the tensors as stored. */
  readonly storedBytes: number;
  readonly #file: SafetensorsFile;
  readonly #storedNames: ReadonlyMap<string, string>;

  /** Use {@linkcode openCheckpoint}, which checks the parts against each other. */
  constructor(parts: {
    readonly name: string;
    readonly config: Gpt2Config;
    readonly file: SafetensorsFile;
    /** From a tensor's name to its name in the file. */
    readonly storedNames: ReadonlyMap<string, string>;
  }) {
    this.name = parts.name;
    this.config = parts.config;
    this.#file = parts.file;
    this.#storedNames = parts.storedNames;
    this.storedBytes = [...parts.storedNames.values()]
      .reduce((sum, stored) => sum + (parts.file.tensors.get(stored)?.byteLength ?? 0), 0);
  }

  /**
   * Reads a tensor as float32, row-major, in the shape that {@linkcode tensorShapes} states.
   *
   * @param tensor A name of {@linkcode tensorShapes}, e.g. `h.0.attn.c_attn.weight`.
   * @param rows Which rows of its first dimension: all, unless told otherwise.
   * @throws {KvbenchError} If there is no such tensor, or the file can't be read.
   */
  read(tensor: string, rows?: RowRange): Promise<Float32Array<ArrayBuffer>> {
    return this.#file.readF32(this.#storedNames.get(tensor) ?? tensor, rows);
  }

  /**
   * Hashes the weights' file.
   *
   * @throws {KvbenchError} If it can't be read.
   */
  async origin(): Promise<WeightsOrigin> {
    return { source: "checkpoint", sha256: await this.#file.sha256() };
  }

  /** Closes the file. */
  close(): void {
    this.#file.close();
  }
}

/**
 * The tensors that a model consists of, with their shapes, as Hugging Face names them without the
 * `transformer.` prefix. A linear layer's weight is [inputs, outputs].
 */
export function tensorShapes(config: Gpt2Config): Map<string, number[]> {
  const { vocabSize, nCtx, nEmbd, nInner, nLayer } = config;
  const shapes = new Map([["wte.weight", [vocabSize, nEmbd]], ["wpe.weight", [nCtx, nEmbd]]]);
  const norm = (name: string) => shapes.set(`${name}.weight`, [nEmbd]).set(`${name}.bias`, [nEmbd]);
  const linear = (name: string, inputs: number, outputs: number) =>
    shapes.set(`${name}.weight`, [inputs, outputs]).set(`${name}.bias`, [outputs]);
  for (let i = 0; i < nLayer; i++) {
    norm(`h.${i}.ln_1`);
    linear(`h.${i}.attn.c_attn`, nEmbd, 3 * nEmbd);
    linear(`h.${i}.attn.c_proj`, nEmbd, nEmbd);
    norm(`h.${i}.ln_2`);
    linear(`h.${i}.mlp.c_fc`, nEmbd, nInner);
    linear(`h.${i}.mlp.c_proj`, nInner, nEmbd);
  }
  norm("ln_f");
  return shapes;
}

const PREFIX = "transformer.";
/** A tied head is stored by some tools: a copy of the token embedding, so only its shape matters. */
const HEAD = "lm_head.weight";
/** The causal mask, which old checkpoints store. */
const MASK = /^h\.\d+\.attn\.(masked_)?bias$/;
/** Names that a message lists before it counts the rest. */
const MAX_LISTED = 4;

/** From the name of each tensor of the model to its name in the file. */
function matchTensors(
  config: Gpt2Config,
  file: SafetensorsFile,
  { configName, weightsName }: CheckpointFiles,
): Map<string, string> {
  const wanted = tensorShapes(config);
  const storedNames = new Map<string, string>();
  const surplus: string[] = [];
  for (const [stored, info] of file.tensors) {
    const name = stored.startsWith(PREFIX) ? stored.slice(PREFIX.length) : stored;
    if (MASK.test(name)) continue;
    const shape = name === HEAD ? wanted.get("wte.weight") : wanted.get(name);
    if (shape === undefined) {
      surplus.push(JSON.stringify(stored));
      continue;
    }
    if (storedNames.has(name)) {
      throw refusal(weightsName, `tensor ${name} is there with and without ${PREFIX}`);
    }
    checkTensor(stored, info, { shape, weightsName, configName });
    storedNames.set(name, stored);
  }
  storedNames.delete(HEAD);

  const missing = [...wanted.keys()].filter((name) => !storedNames.has(name));
  if (missing.length > 0) {
    throw refusal(weightsName, `${tensors(missing)} missing, wanted all that ${configName} calls for`);
  }
  if (surplus.length > 0) {
    throw refusal(weightsName, `${tensors(surplus)} not part of the GPT-2 that ${configName} describes`);
  }
  return storedNames;
}

function checkTensor(
  stored: string,
  info: TensorInfo,
  { shape, weightsName, configName }: { shape: readonly number[]; weightsName: string; configName: string },
): void {
  const [found, expected] = [info.shape, shape].map((dimensions) => `[${dimensions.join(", ")}]`);
  if (found !== expected) {
    throw refusal(weightsName, `tensor ${stored} is ${found}, wanted ${expected} by ${configName}`);
  }
  if (!isFloatDtype(info.dtype)) {
    throw refusal(weightsName, `tensor ${stored} is ${info.dtype}, wanted ${FLOAT_DTYPES}`);
  }
}

/** "tensor a is" or "tensors a, b and 3 more are". */
function tensors(names: readonly string[]): string {
  const listed = names.slice(0, MAX_LISTED).join(", ");
  const rest = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : "";
  return names.length === 1 ? `tensor ${listed} is` : `tensors ${listed}${rest} are`;
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new KvbenchError(`Cannot use ${name}: it is not JSON`);
  }
}

function refusal(name: string, reason: string): KvbenchError {
  return new KvbenchError(`Cannot use ${name}: ${reason}`);
}
