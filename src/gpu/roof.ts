/**
 * What the adapter in hand does at best: bytes per second that a kernel streams, and multiply-adds per second that
 * one computes in registers. The two roofs of a roofline (Williams, Waterman and Patterson 2009). Knows no GPT-2.
 *
 * @module
 */
import arithmeticCode from "../../wgsl/probe_arithmetic.wgsl" with { type: "text" };
import streamCode from "../../wgsl/probe_stream.wgsl" with { type: "text" };
import { type Candidate, fastest, timeCandidates, TuningBudget } from "./autotune.ts";
import { BindLayout } from "./bind_layout.ts";
import type { Gpu } from "./gpu.ts";
import { createKernel } from "./kernel.ts";

/** What an adapter was seen to do at best. */
export interface Roof {
  /** Bytes per second. */
  readonly bytesPerSecond: number;
  /** Multiply-adds per second. */
  readonly macsPerSecond: number;
}

/** Bytes that are streamed, where the device allows a buffer of that size: more than caches hold. */
const STREAM_BYTES = 256 << 20;
/** Bytes of a tile. */
const TILE_BYTES = 64;
/** Tiles that a lane of the streaming kernel reads. */
const TILES = 64;
/** Lanes and steps of the arithmetic kernel: 400 M multiply-adds. */
const ARITHMETIC = { lanes: 1 << 16, steps: 512 };
/** Lanes of a workgroup that are tried. */
const LANES = [8, 64];
/** What the rounds that count may take, in ms. */
const BUDGET_MS = 500;

type Overrides = Readonly<Record<string, number>> & { readonly LANES: number };

/** The files of the two kernels. */
export const PROBES = {
  stream: { name: "probe_stream.wgsl", code: streamCode },
  arithmetic: { name: "probe_arithmetic.wgsl", code: arithmeticCode },
} as const;

/** The layout of both kernels' `@group(0)`. */
export function probeLayout(device: GPUDevice): BindLayout<"from" | "to"> {
  return new BindLayout(device, "probe", { from: "read", to: "readWrite" });
}

/**
 * Measures both roofs: of each kernel's forms the best one, and of several rounds of that the best.
 *
 * @throws {KvbenchError} If the device fails or has no memory left.
 */
export async function measureRoof(gpu: Gpu): Promise<Roof> {
  const { device, ledger } = gpu;
  const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
  const most = Math.min(STREAM_BYTES, maxStorageBufferBindingSize, maxBufferSize);
  const lanes = 2 ** Math.floor(Math.log2(most / TILE_BYTES / TILES));
  const bytes = lanes * TILES * TILE_BYTES;
  const buffers = ledger.allOrNone(() => {
    const make = (label: string, size: number) =>
      ledger.createBuffer({ label, category: "staging", bytes: size });
    return {
      data: make("probe data", bytes),
      start: make("probe start", 64),
      results: make("probe results", Math.max(lanes, ARITHMETIC.lanes) * 16),
    };
  });
  try {
    device.queue.writeBuffer(buffers.start.buffer, 0, Float32Array.of(...Array(12).fill(1), 0.5, 1, 0, 0));
    const layout = probeLayout(device);
    const form = async (
      which: keyof typeof PROBES,
      lanes: number,
      overrides: Overrides,
    ): Promise<Candidate> => {
      const kernel = await createKernel(device, { files: [PROBES[which]], groups: [layout], overrides });
      const from = which === "stream" ? buffers.data : buffers.start;
      const group = layout.bind({ from, to: buffers.results });
      return (recorder) => {
        recorder.share(group);
        recorder.dispatch(kernel, [], lanes / overrides.LANES);
      };
    };
    const [streams, arithmetics] = await Promise.all([
      Promise.all(LANES.flatMap((LANES) => [
        form("stream", lanes, { LANES, TILES, LANE_STEP: TILES, TILE_STEP: 1 }),
        form("stream", lanes, { LANES, TILES, LANE_STEP: 1, TILE_STEP: lanes }),
      ])),
      Promise.all(
        LANES.map((LANES) => form("arithmetic", ARITHMETIC.lanes, { LANES, STEPS: ARITHMETIC.steps })),
      ),
    ]);
    const best = [await quickest(gpu, streams), await quickest(gpu, arithmetics)];
    let streamMs = Infinity, arithmeticMs = Infinity;
    for (const budget = new TuningBudget(BUDGET_MS); !budget.spent;) {
      const [stream, arithmetic] = await timeCandidates(gpu, best, budget);
      streamMs = Math.min(streamMs, stream!);
      arithmeticMs = Math.min(arithmeticMs, arithmetic!);
    }
    return {
      bytesPerSecond: 1000 * bytes / streamMs,
      macsPerSecond: 1000 * ARITHMETIC.lanes * ARITHMETIC.steps * 12 / arithmeticMs,
    };
  } finally {
    for (const buffer of Object.values(buffers)) buffer.destroy();
  }
}

/** The quickest of some forms, from as few rounds as it takes: the others may be slow. */
async function quickest(gpu: Gpu, forms: readonly Candidate[]): Promise<Candidate> {
  const ms = await timeCandidates(gpu, forms, new TuningBudget(0));
  return forms[fastest(ms, 0)]!;
}
