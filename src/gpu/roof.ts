/**
 * The two roofs of a roofline (Williams, Waterman and Patterson 2009), measured on the present adapter: bytes per second
 * that a kernel streams, and multiply-adds per second that one computes in registers. Knows no GPT-2.
 */
import arithmeticCode from "../../wgsl/probes/probe_arithmetic.wgsl" with { type: "text" };
import streamCode from "../../wgsl/probes/probe_stream.wgsl" with { type: "text" };
import streamBufferCode from "../../wgsl/probes/probe_stream_buffer.wgsl" with { type: "text" };
import streamTexelsCode from "../../wgsl/probes/probe_stream_texels.wgsl" with { type: "text" };
import { type Candidate, fastest, timeCandidates, TuningBudget } from "./autotune.ts";
import { BindLayout } from "./bind_layout.ts";
import type { Gpu } from "./gpu.ts";
import { createKernel } from "./kernel.ts";
import type { WgslFile } from "./wgsl.ts";
import { ROW_BYTES } from "./texels.ts";

/** Highest measured rates of an adapter. */
export interface Roof {
  readonly bytesPerSecond: number;
  /** Multiply-adds per second. */
  readonly macsPerSecond: number;
}

/** Returns the milliseconds that work takes at the roof: those of its bytes or of its multiply-adds, whichever are more. */
export function leastMs(
  { bytes, macs }: { readonly bytes: number; readonly macs: number },
  { bytesPerSecond, macsPerSecond }: Roof,
): number {
  return 1000 * Math.max(bytes / bytesPerSecond, macs / macsPerSecond);
}

/** Bytes to stream, if the device allows such a buffer: more than caches hold. */
const STREAM_BYTES = 256 << 20;
const TILE_BYTES = 64;
/** Tiles per lane of the streaming kernel. */
const TILES = 64;
/** Lanes and steps of the arithmetic kernel: 400 M multiply-adds. */
const ARITHMETIC = { lanes: 1 << 16, steps: 512 };
/** Workgroup sizes to try, in lanes. */
const LANES = [8, 64];
/** Time for the rounds that count, in ms. */
const BUDGET_MS = 500;

type Overrides = Readonly<Record<string, number>> & { readonly LANES: number };

const STREAM: WgslFile = { name: "probe_stream.wgsl", code: streamCode };

/** Files of the probes: streaming from a buffer, streaming from texture storage, and arithmetic. */
export const PROBES = {
  stream: [
    { name: "probe_stream_buffer.wgsl", code: streamBufferCode },
    STREAM,
  ],
  streamTexels: [
    { name: "probe_stream_texels.wgsl", code: streamTexelsCode },
    STREAM,
  ],
  arithmetic: [{ name: "probe_arithmetic.wgsl", code: arithmeticCode }],
} as const satisfies Record<string, readonly WgslFile[]>;
type Probe = keyof typeof PROBES;

/** Makes the layout of a probe's `@group(0)`. */
export function probeLayout(device: GPUDevice, which: Probe): BindLayout<"from" | "to"> {
  const from = which === "streamTexels" ? "readTexels" : "read";
  return new BindLayout(device, "probe", { from, to: "readWrite" });
}

/** Returns the lanes and bytes of streaming, within the device's limits. */
function streamOf(
  { maxStorageBufferBindingSize, maxBufferSize, maxTextureDimension2D }: RoofLimits,
): { readonly lanes: number; readonly bytes: number } {
  const most = Math.min(
    STREAM_BYTES,
    maxStorageBufferBindingSize,
    maxBufferSize,
    maxTextureDimension2D * ROW_BYTES,
  );
  const lanes = 2 ** Math.floor(Math.log2(most / TILE_BYTES / TILES));
  return { lanes, bytes: lanes * TILES * TILE_BYTES };
}

/** Limits that the size of the probes depends on. */
type RoofLimits = Pick<
  GPUSupportedLimits,
  "maxBufferSize" | "maxStorageBufferBindingSize" | "maxTextureDimension2D"
>;

/** Bytes that {@linkcode measureRoof} takes on the GPU. */
export function roofBytes(limits: RoofLimits): number {
  const { lanes, bytes } = streamOf(limits);
  return 2 * bytes + 64 + Math.max(lanes, ARITHMETIC.lanes) * 16;
}

/**
 * Measures both roofs: the best round of each probe's best variant.
 *
 * @throws {KvbenchError} If the device fails or has no memory left.
 */
export async function measureRoof(gpu: Gpu): Promise<Roof> {
  const probes = await makeProbes(gpu);
  try {
    return await probes.measure(BUDGET_MS);
  } finally {
    probes.dispose();
  }
}

/** Probes of both roofs, to be timed in turns with other work. */
export interface RoofProbes {
  /**
   * Measures both roofs for so many milliseconds, and for one round at least.
   *
   * @throws {KvbenchError} If the device fails.
   */
  measure(ms: number): Promise<Roof>;
  /** Frees their memory. */
  dispose(): void;
}

/**
 * Makes the probes, each in its best variant.
 *
 * @throws {KvbenchError} If the device fails or has no memory left.
 */
export async function makeProbes(gpu: Gpu): Promise<RoofProbes> {
  const { device, ledger } = gpu;
  const { lanes, bytes } = streamOf(device.limits);
  const probes = ledger.allOrNone(() => {
    const make = (label: string, size: number) =>
      ledger.createBuffer({ label, category: "staging", bytes: size });
    return {
      stream: make("probe data", bytes),
      streamTexels: ledger.createTexels({ label: "probe data", category: "staging", bytes }),
      arithmetic: make("probe start", 64),
      results: make("probe results", Math.max(lanes, ARITHMETIC.lanes) * 16),
    };
  });
  const dispose = () => {
    for (const probe of Object.values(probes)) probe.destroy();
  };
  try {
    device.queue.writeBuffer(
      probes.arithmetic.buffer,
      0,
      Float32Array.of(...Array(12).fill(1), 0.5, 1, 0, 0),
    );
    const form = async (which: Probe, lanes: number, overrides: Overrides): Promise<Candidate> => {
      const layout = probeLayout(device, which);
      const kernel = await createKernel(device, { files: PROBES[which], groups: [layout], overrides });
      const group = layout.bind({ from: probes[which], to: probes.results });
      return (recorder) => {
        recorder.share(group);
        recorder.dispatch(kernel, [], lanes / overrides.LANES);
      };
    };
    const [streams, arithmetics] = await Promise.all([
      Promise.all((["stream", "streamTexels"] as const).flatMap((which) =>
        LANES.flatMap((LANES) => [
          form(which, lanes, { LANES, TILES, LANE_STEP: TILES, TILE_STEP: 1 }),
          form(which, lanes, { LANES, TILES, LANE_STEP: 1, TILE_STEP: lanes }),
        ])
      )),
      Promise.all(
        LANES.map((LANES) => form("arithmetic", ARITHMETIC.lanes, { LANES, STEPS: ARITHMETIC.steps })),
      ),
    ]);
    const best = [await quickest(gpu, streams), await quickest(gpu, arithmetics)];
    const measure = async (ms: number): Promise<Roof> => {
      let streamMs = Infinity, arithmeticMs = Infinity;
      const budget = new TuningBudget(ms);
      do {
        const [stream, arithmetic] = await timeCandidates(gpu, best, budget);
        streamMs = Math.min(streamMs, stream!);
        arithmeticMs = Math.min(arithmeticMs, arithmetic!);
      } while (!budget.spent);
      return {
        bytesPerSecond: 1000 * bytes / streamMs,
        macsPerSecond: 1000 * ARITHMETIC.lanes * ARITHMETIC.steps * 12 / arithmeticMs,
      };
    };
    return { measure, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Returns the fastest of some variants, from as few rounds as possible: the others may be slow. */
async function quickest(gpu: Gpu, forms: readonly Candidate[]): Promise<Candidate> {
  const ms = await timeCandidates(gpu, forms, new TuningBudget(0));
  return forms[fastest(ms, 0)]!;
}
