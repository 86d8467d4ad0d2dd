import assert from "node:assert/strict";
import proto from "onnx-proto";
import { PRESETS } from "../../../src/checkpoint/config.ts";
import { SyntheticCheckpoint } from "../../../src/checkpoint/synthetic.ts";
import { referenceLogits } from "../gpt2_reference.ts";
import { onnxBytes, onnxTensors } from "../onnx_weights.ts";
import { type Job, STORAGES } from "../peer.ts";
import { checkOf } from "../record.ts";
import { writeParts } from "../write_parts.ts";
import { onnxGraph } from "./onnx_graph.ts";
import { peerOf } from "./onnxruntime.ts";

const config = {
  ...PRESETS.gpt2,
  vocabSize: 99,
  nCtx: 16,
  nEmbd: 64,
  nHead: 2,
  headDim: 32,
  nInner: 96,
  nLayer: 2,
};
const MODEL = new SyntheticCheckpoint("small", config, 5);
const TOLERANCE = { f32: 1e-6, f16: 5e-3, int8: 2e-2 };

Deno.test("The graph decodes to nodes whose inputs are there, and weights that fill the file beside it without overlap", async () => {
  for (const storage of STORAGES) {
    const { graph } = proto.onnx.ModelProto.decode(onnxGraph(config, storage, "small.bin"));
    const known = new Set([...graph!.initializer!, ...graph!.input!].map(({ name }) => name));
    for (const { input, output } of graph!.node!) {
      for (const name of input!) assert.ok(known.has(name), `${storage}: ${name}`);
      for (const name of output!) known.add(name);
    }
    for (const { name } of graph!.output!) assert.ok(known.has(name), `${storage}: ${name}`);
    const outside = graph!.initializer!.filter(({ externalData }) => externalData!.length > 0);
    let end = 0;
    for (const { externalData } of outside) {
      const { offset, length } = Object.fromEntries(externalData!.map(({ key, value }) => [key, value]));
      assert.ok(Number(offset) >= end && Number(offset) % 4096 === 0);
      end = Number(offset) + Number(length);
    }
    const bytes = (await Array.fromAsync(onnxBytes(MODEL, storage))).reduce(
      (sum, { length }) => sum + length,
      0,
    );
    assert.equal(bytes, Math.ceil(end / 4096) * 4096);
    assert.equal(outside.length, onnxTensors(config, storage).length);
  }
});

Deno.test("ONNX Runtime computes the reference's logits with the graph, by a prompt and by steps", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvbench_" });
  try {
    for (const storage of STORAGES) {
      await writeParts(`${folder}/${storage}.bin`, onnxBytes(MODEL, storage));
      await writeParts(`${folder}/${storage}.onnx`, [onnxGraph(config, storage, `${storage}.bin`)]);
    }
    Reflect.deleteProperty(globalThis, "Float16Array"); // as in onnxruntime_node.ts
    const { InferenceSession, Tensor } = await import("onnxruntime-node");
    const ids = [3, 98, 0, 41, 41, 7];
    const reference = await referenceLogits(MODEL, ids);
    for (const storage of STORAGES) {
      const job: Job = { config, seed: 5, storage, weights: `${folder}/${storage}` };
      const session = await InferenceSession.create(`${job.weights}.onnx`);
      const sequence = await peerOf(session, job, { Tensor, version: "", runs_on: "" }).open(8, 8);
      for (const prompt of [6, 4, 1]) {
        const logits = await sequence.logits!(ids.slice(0, prompt), ids.slice(prompt));
        const { deviation, right } = checkOf("logits", logits, reference, TOLERANCE[storage]);
        assert.ok(right, `${storage}, a prompt of ${prompt}: ${deviation}`);
      }
      await session.release();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
