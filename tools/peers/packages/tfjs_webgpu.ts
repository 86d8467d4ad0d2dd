/**
 * The matrix products of GPT-2 in TensorFlow.js on Deno's WebGPU: what a prefill or a decode step multiplies, and nothing
 * else of it. The package has no GPT-2 with a cache.
 */
import {
  concat,
  matMul,
  ones,
  ready,
  setBackend,
  type Tensor2D,
  tensor2d,
  tidy,
  version_core,
} from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-webgpu";
import { HEAD } from "../../../src/checkpoint/tensors.ts";
import { onnxTensors } from "../onnx_weights.ts";
import type { Job, Peer } from "../peer.ts";
import { serve } from "../serve.ts";

/** Columns of the head that fit into a binding of 128 MiB. */
const MOST_COLUMNS = 32_768;

await serve(async (job): Promise<Peer> => {
  await setBackend("webgpu");
  await ready();
  const matrices = await readMatrices(job);
  /** Multiplies rows of ones by all matrices, in order. */
  const multiply = async (rows: number) => {
    const last = tidy(() => {
      let y: Tensor2D | undefined;
      for (const [name, parts] of matrices) {
        // Logits are computed of the last row alone, as elsewhere.
        for (const part of parts) {
          y = tidy(() => matMul(ones([name === HEAD ? 1 : rows, part.shape[0]]), part));
        }
      }
      return y!;
    });
    await last.data(); // waits for all
    last.dispose();
  };
  return {
    version: version_core,
    runs_on: (await navigator.gpu.requestAdapter())?.info.description ?? "WebGPU",
    kv: null,
    open: () =>
      Promise.resolve({
        begin: ({ length }) => multiply(length),
        generate: async (steps) => {
          for (let i = 0; i < steps; i++) await multiply(1);
        },
      }),
    product: async (name, row) =>
      await tidy(() => {
        const x = tensor2d([...row], [1, row.length]);
        return concat(matrices.get(name)!.map((part) => matMul(x, part)), 1);
      }).data(),
  };
});

/** Reads the matrices of the layers and of the head, in the order in which a step multiplies by them, in parts. */
async function readMatrices({ config, storage, weights }: Job): Promise<Map<string, Tensor2D[]>> {
  const matrices = new Map<string, Tensor2D[]>();
  using file = await Deno.open(`${weights}.bin`);
  for (const { name, dims: [rows = 0, columns = 0], offset, length } of onnxTensors(config, storage)) {
    if (!/\.c_\w+\.weight$/.test(name) && name !== HEAD) continue;
    const bytes = new Uint8Array(length);
    await file.seek(offset, Deno.SeekMode.Start);
    for (let read = 0; read < length;) read += (await file.read(bytes.subarray(read)))!;
    const values = new Float32Array(bytes.buffer), parts: Tensor2D[] = [];
    for (let first = 0; first < columns; first += MOST_COLUMNS) {
      const width = Math.min(MOST_COLUMNS, columns - first), part = new Float32Array(rows * width);
      for (let row = 0; row < rows; row++) {
        part.set(values.subarray(row * columns + first, row * columns + first + width), row * width);
      }
      parts.push(tensor2d(part, [rows, width]));
    }
    matrices.set(name, parts);
  }
  return matrices;
}
