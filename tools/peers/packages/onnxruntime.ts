/**
 * ONNX Runtime, in whichever package: a session whose present K and V are the past of the next step, as the models that
 * people export are decoded. They stay where the session leaves them; the logits come to the host, which chooses.
 */
import type { InferenceSession, Tensor, TensorConstructor } from "onnxruntime-common";
import type { Job, Peer, Ready, Sequence } from "../peer.ts";

/** Names of the K and V of a direction, by layer. */
export function kvNames(direction: "past" | "present", { config: { nLayer } }: Job): string[] {
  return Array.from({ length: nLayer }, (_, i) => [`${direction}.${i}.key`, `${direction}.${i}.value`])
    .flat();
}

/** Makes a peer of a session. */
export function peerOf(
  session: InferenceSession,
  job: Job,
  { Tensor, ...facts }: Omit<Ready, "kv"> & { readonly Tensor: TensorConstructor },
): Peer {
  return {
    ...facts,
    kv: job.storage === "f16" ? "f16" : "f32",
    open: () => Promise.resolve(open(session, job, Tensor)),
  };
}

function open(session: InferenceSession, job: Job, Tensor: TensorConstructor): Sequence {
  const { config: { nHead, headDim }, storage } = job;
  const empty = () =>
    storage === "f16"
      ? new Tensor("float16", new Uint16Array(0), [1, nHead, 0, headDim])
      : new Tensor("float32", new Float32Array(0), [1, nHead, 0, headDim]);
  const integers = (values: readonly number[]) =>
    new Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
  let past: Record<string, Tensor> = {}, length = 0, next = 0;
  const compute = async (ids: readonly number[]): Promise<Float32Array> => {
    const outputs = await session.run({
      ...past,
      input_ids: integers(ids),
      position_ids: integers(ids.map((_, i) => length + i)),
    });
    for (const tensor of Object.values(past)) tensor.dispose();
    past = Object.fromEntries(
      kvNames("past", job).map((name) => [name, outputs[name.replace("past", "present")] as Tensor]),
    );
    length += ids.length;
    const logits = outputs.logits!.data as Float32Array;
    next = logits.indexOf(logits.reduce((most, each) => Math.max(most, each)));
    return logits;
  };
  const begin = async (ids: readonly number[]) => {
    for (const tensor of Object.values(past)) tensor.dispose();
    past = Object.fromEntries(kvNames("past", job).map((name) => [name, empty()]));
    length = 0;
    return await compute(ids);
  };
  return {
    begin: async (ids) => void await begin(ids),
    generate: async (steps) => {
      for (let i = 0; i < steps; i++) await compute([next]);
    },
    logits: async (prompt, further) => {
      let logits = await begin(prompt);
      for (const id of further) logits = await compute([id]);
      return logits;
    },
  };
}
