/** ONNX Runtime's native build, on the CPU. */
import { serve } from "../serve.ts";
import { peerOf } from "./onnxruntime.ts";

// A native module learns no size of a Float16Array (Deno 2.9.6). Without that class, the package uses words of 16 bits.
Reflect.deleteProperty(globalThis, "Float16Array");
const { env, InferenceSession, Tensor } = await import("onnxruntime-node");

await serve(async (job) => {
  const session = await InferenceSession.create(`${job.weights}.onnx`, { executionProviders: ["cpu"] });
  const runs_on = `CPU, ${navigator.hardwareConcurrency} threads`;
  return peerOf(session, job, { Tensor, version: env.versions.node!, runs_on });
});
