/** ONNX Runtime for the web, on Deno's WebGPU. K and V stay on the GPU. */
import { basename } from "node:path";
import { env, InferenceSession, Tensor } from "onnxruntime-web/webgpu";
import { serve } from "../serve.ts";
import { kvNames, peerOf } from "./onnxruntime.ts";

await serve(async (job) => {
  const session = await InferenceSession.create(await Deno.readFile(`${job.weights}.onnx`), {
    executionProviders: ["webgpu"],
    externalData: [{ path: `${basename(job.weights)}.bin`, data: await Deno.readFile(`${job.weights}.bin`) }],
    preferredOutputLocation: Object.fromEntries(kvNames("present", job).map((name) => [name, "gpu-buffer"])),
    logSeverityLevel: 3,
  });
  const { adapterInfo } = await env.webgpu.device as GPUDevice;
  return peerOf(session, job, { Tensor, version: env.versions.web!, runs_on: adapterInfo.description });
});
