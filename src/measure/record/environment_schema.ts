/** The format of an environment in a result file. */
import { z } from "../../base/zod.ts";
import { BACKENDS } from "../../gpu/backend.ts";
import { WEBGPU_NAMES } from "../../gpu/webgpu.ts";
import { amount, positive, sha256Field } from "./fields.ts";

const load = z.array(z.number().nonnegative()).length(3).nullable();

/** Checks an {@linkcode Environment}. */
export const environmentSchema = z.strictObject({
  kvbench: z.string().describe("Version of kvbench"),
  git_commit: z.string().nullable().describe("Commit of the checkout that ran, null where it can't be read"),
  deno: z.string().describe("Version of Deno"),
  v8: z.string().describe("Version of V8"),
  typescript: z.string().describe("Version of TypeScript"),
  webgpu: z.enum(WEBGPU_NAMES).default("deno").describe("Implementation of WebGPU: Deno's own, or Dawn"),
  os: z.string().describe("Operating system, as Deno names it: linux, darwin, windows"),
  os_release: z.string().nullable().describe(
    "Release of the operating system, null where it may not be asked",
  ),
  arch: z.string().describe("CPU architecture, as Deno names it: x86_64, aarch64"),
  cpu: z.strictObject({
    model: z.string().nullable().describe("Model name of the CPU, null where it can't be read"),
    cores: positive("Logical CPUs"),
  }).describe("CPU of the host"),
  load_average: load.describe(
    "Processes running or waiting when measuring began, over 1, 5 and 15 minutes; null where it may not be asked",
  ),
  adapter: z.strictObject({
    backend: z.enum([...BACKENDS, "unknown"]).default("unknown").describe(
      "Graphics API through which WebGPU reaches the adapter; unknown where nothing tells it, and in older files",
    ),
    description: z.string().describe("Name of the adapter, with its driver"),
    vendor: z.string().describe("Vendor, as GPUAdapterInfo gives it"),
    architecture: z.string().describe("Architecture, as GPUAdapterInfo gives it"),
    device: z.string().describe("Device, as GPUAdapterInfo gives it"),
    software: z.boolean().describe("True where the adapter computes on the CPU"),
    features: z.array(z.string()).describe("WebGPU features that the device was opened with"),
    offered_features: z.array(z.string()).optional().describe(
      "WebGPU features that the adapter has, used or not",
    ),
    limits: z.record(z.string(), z.number()).describe("WebGPU limits of the device"),
  }).describe("GPU adapter"),
  kernels_sha256: sha256Field("SHA-256 over the code of all WGSL files, without comments, in hex"),
  tuning: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .describe("Kernel variants chosen for this adapter"),
  fence: z.strictObject({
    blocks: z.boolean().describe("True where onSubmittedWorkDone() blocks until the GPU is done"),
    cost_us: amount("Time of a fence with nothing to wait for, in µs"),
    readback_ms: amount("Time to read a few bytes back, in ms"),
  }).describe("Waiting for the GPU, measured at start-up"),
});

/** @internal The environment of a measurement. */
export type Environment = z.infer<typeof environmentSchema>;
