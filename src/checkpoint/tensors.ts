/** The tensors that a GPT-2 calls for: their names and shapes, and their places in safetensors files. */
import type { Gpt2Config } from "./config.ts";
import {
  FLOAT_DTYPES,
  isFloatDtype,
  type SafetensorsFile,
  type TensorInfo,
  unusable,
} from "./safetensors.ts";

/** Place of a tensor. */
export interface StoredTensor {
  readonly file: SafetensorsFile;
  /** Name in the file. */
  readonly stored: string;
}

/**
 * Returns the shapes of a model's tensors by Hugging Face's names, without the prefix `transformer.`. The weight of a
 * linear layer is [inputs, outputs]; an untied head is [outputs, inputs], as the embedding is.
 */
export function tensorShapes(config: Gpt2Config): Map<string, number[]> {
  const { vocabSize, nCtx, nEmbd, nInner, nLayer, tieWordEmbeddings } = config;
  const shapes = new Map([[EMBEDDING, [vocabSize, nEmbd]], ["wpe.weight", [nCtx, nEmbd]]]);
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
  if (!tieWordEmbeddings) shapes.set(HEAD, [vocabSize, nEmbd]);
  return shapes;
}

const PREFIX = "transformer.";
/** Name of the token embedding. */
export const EMBEDDING = "wte.weight";
/** Name of the head, if it is not the token embedding; some tools store a copy of the embedding under it. */
export const HEAD = "lm_head.weight";
/** Name of the causal mask, which old checkpoints store. */
const MASK = /^h\.\d+\.attn\.(masked_)?bias$/;
/** Most names in a message; the rest are counted. */
const MAX_LISTED = 4;

/**
 * Finds the place of each tensor of a model in its files.
 *
 * @throws {KvbenchError} If one is missing, there twice, or of another shape or type, or no part of the model.
 */
export function matchTensors(
  config: Gpt2Config,
  files: readonly SafetensorsFile[],
  configName: string,
): Map<string, StoredTensor> {
  const expected = tensorShapes(config), allowed = tensorShapes({ ...config, tieWordEmbeddings: false });
  const tensors = new Map<string, StoredTensor>();
  const surplus: string[] = [];
  const all = files.flatMap((file) => [...file.tensors].map(([stored, info]) => ({ file, stored, info })));
  for (const { file, stored, info } of all) {
    const name = stored.startsWith(PREFIX) ? stored.slice(PREFIX.length) : stored;
    if (MASK.test(name)) continue;
    const shape = allowed.get(name);
    if (shape === undefined) {
      surplus.push(JSON.stringify(stored));
      continue;
    }
    const other = tensors.get(name);
    if (other !== undefined) {
      const twice = other.file === file ? `with and without ${PREFIX}` : `and in ${other.file.name}`;
      throw unusable(file.name, `tensor ${name} is there ${twice}`);
    }
    checkTensor(stored, info, { shape, weightsName: file.name, configName });
    tensors.set(name, { file, stored });
  }

  const weightsName = (files[0]?.name ?? "no file") +
    (files.length > 1 ? ` and ${files.length - 1} more` : "");
  const missing = [...expected.keys()].filter((name) => !tensors.has(name));
  if (missing.length > 0) {
    throw unusable(weightsName, `${listed(missing)} missing, expected all that ${configName} calls for`);
  }
  if (surplus.length > 0) {
    throw unusable(weightsName, `${listed(surplus)} not part of the GPT-2 that ${configName} describes`);
  }
  return tensors;
}

function checkTensor(
  stored: string,
  info: TensorInfo,
  { shape, weightsName, configName }: { shape: readonly number[]; weightsName: string; configName: string },
): void {
  const [found, expected] = [info.shape, shape].map((dimensions) => `[${dimensions.join(", ")}]`);
  if (found !== expected) {
    throw unusable(weightsName, `tensor ${stored} is ${found}, expected ${expected} by ${configName}`);
  }
  if (!isFloatDtype(info.dtype)) {
    throw unusable(weightsName, `tensor ${stored} is ${info.dtype}, expected ${FLOAT_DTYPES}`);
  }
}

/** "tensor a is" or "tensors a, b and 3 more are". */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_LISTED).join(", ");
  const rest = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : "";
  return names.length === 1 ? `tensor ${shown} is` : `tensors ${shown}${rest} are`;
}
