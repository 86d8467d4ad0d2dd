/**
 * Writes GPT-2 as a GGUF file, the format of llama.cpp: a header of keys and tensors, then the tensors' bytes, each at a
 * multiple of 32 bytes (as the repository ggml-org/ggml describes it). Matrices of layers are stored as
 * llama.cpp multiplies by them, [outputs, inputs].
 */
import type { TensorSource } from "../../src/checkpoint/checkpoint.ts";
import type { Gpt2Config } from "../../src/checkpoint/config.ts";
import { tensorShapes } from "../../src/checkpoint/tensors.ts";
import { BLOCK, blocksOf, transposed } from "./blocks.ts";
import type { Storage } from "./peer.ts";

const VERSION = 3, ALIGNMENT = 32;
/** GGUF's numbers of types of values. */
const UINT32 = 4, FLOAT32 = 6, STRING = 8, ARRAY = 9;
/** ggml's number of a tensor's type, the file's number of its main type, and the bytes of a block of 32. */
const TYPES: Readonly<Record<Storage, { tensor: number; file: number; blockBytes: number }>> = {
  f32: { tensor: 0, file: 0, blockBytes: 4 * BLOCK },
  f16: { tensor: 1, file: 1, blockBytes: 2 * BLOCK },
  int8: { tensor: 8, file: 7, blockBytes: 2 + BLOCK },
};

/** Tensors of a layer and of the model, by Hugging Face's names. */
const NAMES: Readonly<Record<string, string>> = {
  "wte": "token_embd",
  "wpe": "position_embd",
  "ln_f": "output_norm",
  "ln_1": "attn_norm",
  "attn.c_attn": "attn_qkv",
  "attn.c_proj": "attn_output",
  "ln_2": "ffn_norm",
  "mlp.c_fc": "ffn_up",
  "mlp.c_proj": "ffn_down",
};

/** A tensor of the file. */
interface Planned {
  /** Hugging Face's name. */
  readonly source: string;
  readonly name: string;
  /** [inputs, outputs] of a layer's matrix, as the checkpoint has it. */
  readonly shape: readonly number[];
  readonly storage: Storage;
  readonly offset: number;
}

/** Returns the header of a file, and its tensors with their offsets behind it. */
export function ggufHeader(config: Gpt2Config, storage: Storage): { header: Uint8Array; tensors: Planned[] } {
  const tensors: Planned[] = [];
  let offset = 0;
  for (const [source, shape] of tensorShapes(config)) {
    // As llama.cpp's converter has it: positions and vectors are never narrowed.
    const own = shape.length === 1 || source.startsWith("wpe") ? "f32" : storage;
    tensors.push({ source, name: ggufName(source), shape, storage: own, offset });
    offset += aligned(shape.reduce((product, size) => product * size) / BLOCK * TYPES[own].blockBytes);
  }
  const out = new Bytes();
  out.text("GGUF", false).u32(VERSION).u64(tensors.length);
  const keys = keysOf(config, storage);
  out.u64(keys.length);
  for (const [key, write] of keys) write(out.text(key));
  for (const { name, shape, storage: own, offset } of tensors) {
    // The first dimension is the one that is contiguous: inputs, or the width of an embedding.
    const sizes = isMatrix(name) ? shape : shape.toReversed();
    out.text(name).u32(shape.length);
    for (const size of sizes) out.u64(size);
    out.u32(TYPES[own].tensor).u64(offset);
  }
  return { header: out.padded(ALIGNMENT), tensors };
}

/** Yields the bytes of a file, in order. */
export async function* ggufBytes(model: TensorSource, storage: Storage): AsyncGenerator<Uint8Array> {
  const { header, tensors } = ggufHeader(model.config, storage);
  yield header;
  for (const { source, name, shape, storage: own } of tensors) {
    const values = await model.read(source);
    const bytes = stored(isMatrix(name) ? transposed(values, shape[0]!, shape[1]!) : values, own);
    const padded = new Uint8Array(aligned(bytes.length));
    padded.set(bytes);
    yield padded;
  }
}

function isMatrix(name: string): boolean {
  return /^blk\.\d+\.(?:attn_qkv|attn_output|ffn_up|ffn_down)\.weight$/.test(name);
}

function ggufName(source: string): string {
  const [, layer, part, kind] = /^(?:h\.(\d+)\.)?(.*)\.(weight|bias)$/.exec(source)!;
  return `${layer === undefined ? "" : `blk.${layer}.`}${NAMES[part!]}.${kind}`;
}

function keysOf(config: Gpt2Config, storage: Storage): [string, (out: Bytes) => void][] {
  const integer = (value: number) => (out: Bytes) => void out.u32(UINT32).u32(value);
  const text = (value: string) => (out: Bytes) => void out.u32(STRING).text(value);
  const texts = (values: readonly string[]) => (out: Bytes) => {
    out.u32(ARRAY).u32(STRING).u64(values.length);
    for (const value of values) out.text(value);
  };
  return [
    ["general.architecture", text("gpt2")],
    ["general.name", text("kvbench, made-up weights")],
    ["general.alignment", integer(ALIGNMENT)],
    ["general.file_type", integer(TYPES[storage].file)],
    ["gpt2.vocab_size", integer(config.vocabSize)],
    ["gpt2.context_length", integer(config.nCtx)],
    ["gpt2.embedding_length", integer(config.nEmbd)],
    ["gpt2.feed_forward_length", integer(config.nInner)],
    ["gpt2.block_count", integer(config.nLayer)],
    ["gpt2.attention.head_count", integer(config.nHead)],
    ["gpt2.attention.layer_norm_epsilon", (out) => void out.u32(FLOAT32).f32(config.layerNormEpsilon)],
    // Made up: ids go in and come out, but node-llama-cpp splits texts of its own when it opens a model.
    ["tokenizer.ggml.model", text("gpt2")],
    ["tokenizer.ggml.pre", text("gpt-2")],
    ["tokenizer.ggml.tokens", texts(Array.from({ length: config.vocabSize }, (_, id) => `t${id}`))],
    ["tokenizer.ggml.merges", texts([])],
    ["tokenizer.ggml.eos_token_id", integer(config.eosTokenId ?? config.vocabSize - 1)],
  ];
}

function stored(values: Float32Array<ArrayBuffer>, storage: Storage): Uint8Array {
  if (storage === "f32") return new Uint8Array(values.buffer);
  if (storage === "f16") return new Uint8Array(new Float16Array(values).buffer);
  const { scales, integers } = blocksOf(values);
  const bytes = new Uint8Array(scales.length * TYPES.int8.blockBytes), view = new DataView(bytes.buffer);
  scales.forEach((scale, b) => {
    view.setFloat16(b * TYPES.int8.blockBytes, scale, true);
    for (let i = 0; i < BLOCK; i++) {
      view.setInt8(b * TYPES.int8.blockBytes + 2 + i, integers[b * BLOCK + i]!);
    }
  });
  return bytes;
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

class Bytes {
  readonly #bytes: number[] = [];

  u32(value: number): this {
    return this.#push(4, (view) => view.setUint32(0, value, true));
  }

  u64(value: number): this {
    return this.#push(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }

  f32(value: number): this {
    return this.#push(4, (view) => view.setFloat32(0, value, true));
  }

  /** Appends a text, and its length before it. */
  text(text: string, counted = true): this {
    const bytes = new TextEncoder().encode(text);
    if (counted) this.u64(bytes.length);
    this.#bytes.push(...bytes);
    return this;
  }

  padded(alignment: number): Uint8Array {
    return new Uint8Array([...this.#bytes, ...Array(-this.#bytes.length & (alignment - 1)).fill(0)]);
  }

  #push(size: number, write: (view: DataView) => void): this {
    const view = new DataView(new ArrayBuffer(size));
    write(view);
    this.#bytes.push(...new Uint8Array(view.buffer));
    return this;
  }
}
