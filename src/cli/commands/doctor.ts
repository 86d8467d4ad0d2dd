/** `kvbench doctor`: the machine's adapter, its features and limits, and the models that fit. */
import { Command } from "../options/commander.ts";
import { type Gpt2Config, PRESETS } from "../../checkpoint/config.ts";
import { type AdapterRecord, adapterRecord } from "../../gpu/adapter.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { openGpu } from "../../host/gpu.ts";
import { type Feature, FEATURES, LIMITS } from "../../gpu/limits.ts";
import { readbackMs } from "../../gpu/readback.ts";
import { describeModel } from "../../hub/locate.ts";
import { memoryNeed } from "../../model/memory.ts";
import { tuningFor } from "../../model/tuning.ts";
import { drawTable } from "../../report/text_table.ts";
import { formatBytes } from "../../report/units.ts";
import { type BackendReport, backendReport, backendRows } from "./doctor/doctor_backend.ts";
import { addDeviceOptions, type DeviceOptions, gpuOptions } from "../options/device_options.ts";
import { describeHelp } from "../options/help.ts";
import { PRINT_JSON } from "../options/json_output.ts";
import { type Fit, fitOf, freeMemory } from "../session/memory_check.ts";
import { addOptions, type Values } from "../options/option_spec.ts";
import { checkStarts, sayStarts, type StartCheck } from "./doctor/start_check.ts";
import { writeLine } from "../terminal/stdout.ts";

type Options = DeviceOptions & Values<readonly [typeof PRINT_JSON]>;

export function doctorCommand(): Command {
  return describeHelp(addOptions(addDeviceOptions(new Command("doctor")), PRINT_JSON), {
    everyday: "json",
    examples: [
      ["Show adapter, limits and models that fit", "doctor"],
      ["The same through Dawn in place of wgpu", "doctor --webgpu dawn"],
    ],
  })
    .summary("Show the GPU adapter and which models fit")
    .description("Show the GPU adapter, its features and limits, and which models fit.")
    .action(run);
}

async function run(options: Options): Promise<void> {
  const start = await checkStarts(options, (line) => console.error(line)); // while no other process holds the adapter
  const gpu = await openGpu(gpuOptions(options));
  try {
    const { facts, fence, device } = gpu;
    const models = await modelNeeds(gpu);
    const report = {
      adapter: adapterRecord(facts, device),
      runtime: { deno: Deno.version.deno, webgpu: facts.webgpu, os: Deno.build.os, arch: Deno.build.arch },
      backends: await backendReport(facts),
      features: Object.fromEntries(FEATURES.map((name) => [name, device.features.has(name)])),
      limits: Object.fromEntries(LIMITS.map((name) => [name, device.limits[name]])),
      fence: {
        blocks: fence.blocks,
        cost_us: await fence.costMs() * 1000,
        readback_ms: await readbackMs(gpu),
      },
      memory: {
        available_bytes: freeMemory(gpu).bytes,
        source: facts.software
          ? "system memory, which this software adapter uses"
          : "WebGPU does not tell it",
      },
      start,
      models,
    };
    if (options.json) writeLine(JSON.stringify(report, null, 2));
    else print(report, options.disableFeature ?? []);
  } finally {
    gpu.dispose();
  }
}

/** A model's memory, and its fit on this device. */
interface ModelRow extends Fit {
  name: string;
  n_parameters: number;
  weights_bytes: number;
  kv_bytes_per_token: number;
  kv_bytes_full_context: number;
  activations_bytes: number;
  total_bytes: number;
}

async function modelNeeds(gpu: Gpu): Promise<ModelRow[]> {
  const tuning = tuningFor(gpu.facts);
  const free = freeMemory(gpu);
  return Object.entries({ tiny: (await describeModel("tiny")).config, ...PRESETS }).map(
    ([name, config]: [string, Gpt2Config]) => {
      const need = memoryNeed(config, tuning);
      return {
        name,
        n_parameters: need.parameters,
        weights_bytes: need.weightsBytes,
        kv_bytes_per_token: need.kvBytesPerToken,
        kv_bytes_full_context: need.kvBytesPerToken * config.nCtx,
        activations_bytes: need.activationsBytes,
        total_bytes: need.totalBytes,
        ...fitOf(need, gpu.device.limits, free),
      };
    },
  );
}

/** State of a feature that kvbench can use: what is not asked for may be there unlisted. */
function stateOf(name: Feature, { features }: AdapterRecord, disabled: readonly Feature[]): string {
  if (features.includes(name)) return "yes";
  return disabled.includes(name) ? "switched off" : "unavailable";
}

/** Features that the adapter has and kvbench can't use. */
function unusedOf({ offered_features }: AdapterRecord): string[] {
  return offered_features.filter((name) => !FEATURES.some((each) => each === name));
}

function print(report: {
  adapter: AdapterRecord;
  runtime: Record<string, string>;
  backends: BackendReport;
  limits: Record<string, number>;
  fence: { blocks: boolean; cost_us: number; readback_ms: number };
  memory: { available_bytes: number | null; source: string };
  start: StartCheck;
  models: ModelRow[];
}, disabled: readonly Feature[]): void {
  const { adapter, runtime, backends, limits, fence, memory, start, models } = report;
  const starts = sayStarts(start);
  const ids = [adapter.vendor, adapter.architecture, adapter.device].filter(Boolean).join(" / ");
  const facts = [
    ["adapter", `${adapter.description}${ids && ` (${ids})`}`],
    ["kind", adapter.software ? "software: a CPU does the work" : "hardware"],
    ["driver", "WebGPU does not tell its version"],
    ["runtime", `Deno ${runtime.deno}, ${runtime.os} ${runtime.arch}`],
    ["WebGPU", runtime.webgpu === "dawn" ? "Dawn" : "Deno's own"],
    ...backendRows(backends),
    ...FEATURES.map((name) => [name, stateOf(name, adapter, disabled)]),
    ["features not used", unusedOf(adapter).join(", ") || "none"],
    ...Object.entries(limits).map((
      [name, value],
    ) => [name, name.endsWith("Size") ? formatBytes(value) : `${value}`]),
    ["fence", fence.blocks ? "a call waits for the GPU" : "a promise is awaited"],
    ["fence cost", `${fence.cost_us.toFixed(1)} µs with nothing to wait for`],
    ["readback", `${fence.readback_ms.toFixed(1)} ms for a few bytes`],
    ["cold start", starts.cold],
    ["warm start", starts.warm],
    [
      "memory",
      memory.available_bytes === null
        ? (adapter.software ? "not asked: that needs --allow-sys=systemMemoryInfo" : memory.source)
        : `${formatBytes(memory.available_bytes)} available (${memory.source})`,
    ],
  ];
  writeLine(drawTable(facts, { align: "l", widths: { label: 33, most: 45 } }));
  writeLine("");
  const rows = models.map((row) => [
    row.name,
    formatBytes(row.weights_bytes),
    formatBytes(row.kv_bytes_per_token),
    formatBytes(row.kv_bytes_full_context),
    formatBytes(row.total_bytes),
    row.reason === "" ? row.fits : `${row.fits}: ${row.reason}`,
  ]);
  const head = ["model, f32", "weights", "K/V per token", "K/V full context", "total", "fits"];
  writeLine(drawTable(rows, { head, align: "lrrrrl" }));
}
