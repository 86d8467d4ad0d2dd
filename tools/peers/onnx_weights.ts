/**
 * The tensors of GPT-2 as an ONNX file keeps them beside it, in one file of external data: their names, types, places
 * and bytes. Matrices of layers are [inputs, outputs], as exporters leave them, and the head is a transposed copy of the
 * embedding. In 8 bits, matrices are blocks of 32 for MatMulNBits, [outputs, inputs / 32, 32], and all else is float32.
 */
import type { TensorSource } from "../../src/checkpoint/checkpoint.ts";
import type { Gpt2Config } from "../../src/checkpoint/config.ts";
import { EMBEDDING, HEAD, tensorShapes } from "../../src/checkpoint/tensors.ts";
import { BLOCK, blocksOf, transposed } from "./blocks.ts";
import type { Storage } from "./peer.ts";

/** ONNX's numbers of element types, with their bytes. */
export const ELEMENT = { float32: 1, uint8: 2, int64: 7, bool: 9, float16: 10 } as const;
const BYTES: Readonly<Record<number, number>> = {
  [ELEMENT.float32]: 4,
  [ELEMENT.uint8]: 1,
  [ELEMENT.float16]: 2,
};
/** Offsets are multiples of a page, so that files can be mapped. */
const PAGE = 4096;
/** Zero point of MatMulNBits in 8 bits. */
const ZERO = 128;

interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  /** A number of {@linkcode ELEMENT}. */
  readonly type: number;
  readonly offset: number;
  readonly length: number;
}

/** True if a tensor is a matrix that rows are multiplied by. */
const isMatrix = (name: string) => /\.c_\w+\.weight$/.test(name) || name === HEAD;

/** Returns the tensors in the order of their bytes; the scales of an 8-bit matrix follow it, named `NAME.scales`. */
export function onnxTensors(config: Gpt2Config, storage: Storage): OnnxTensor[] {
  const tensors: OnnxTensor[] = [];
  let offset = 0;
  const add = (name: string, dims: readonly number[], type: number) => {
    const length = dims.reduce((product, size) => product * size) * BYTES[type]!;
    tensors.push({ name, dims, type, offset, length });
    offset += Math.ceil(length / PAGE) * PAGE;
  };
  const shapes = tensorShapes({ ...config, tieWordEmbeddings: true });
  shapes.set(HEAD, [config.nEmbd, config.vocabSize]);
  for (const [name, shape] of shapes) {
    if (storage === "int8" && isMatrix(name)) {
      const [inputs = 0, outputs = 0] = shape;
      add(name, [outputs, inputs / BLOCK, BLOCK], ELEMENT.uint8);
      add(`${name}.scales`, [outputs * inputs / BLOCK], ELEMENT.float32);
    } else add(name, shape, storage === "f16" ? ELEMENT.float16 : ELEMENT.float32);
  }
  return tensors;
}

/** Yields the bytes of the external data, in order. */
export async function* onnxBytes(model: TensorSource, storage: Storage): AsyncGenerator<Uint8Array> {
  const { nEmbd, vocabSize } = model.config;
  let scales = new Float32Array();
  for (const { name, dims, type, length } of onnxTensors(model.config, storage)) {
    const padded = new Uint8Array(Math.ceil(length / PAGE) * PAGE);
    if (name.endsWith(".scales")) padded.set(new Uint8Array(scales.buffer));
    else {
      const values = await model.read(name === HEAD ? EMBEDDING : name);
      if (type === ELEMENT.uint8) {
        const [outputs = 0, blocks = 0] = dims;
        // The embedding has its rows in the order that the head needs already.
        const rows = name === HEAD ? values : transposed(values, blocks * BLOCK, outputs);
        const rounded = blocksOf(rows);
        scales = rounded.scales;
        rounded.integers.forEach((integer, i) => padded[i] = integer + ZERO);
      } else padded.set(floats(name === HEAD ? transposed(values, vocabSize, nEmbd) : values, type));
    }
    yield padded;
  }
}

function floats(values: Float32Array<ArrayBuffer>, type: number): Uint8Array {
  return new Uint8Array(type === ELEMENT.float16 ? new Float16Array(values).buffer : values.buffer);
}
