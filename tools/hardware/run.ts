/**
 * Prints what hardware GPUs' compilers and memories would make of the kernels, as Markdown tables: the part that grids
 * and addresses tell, and what Mesa's RADV tells where it can be asked.
 */
import { KV_DTYPES, WEIGHT_DTYPES } from "../../src/formats/registry.ts";
import { HARDWARE_TUNING, SUBGROUP_TUNING } from "../../src/model/tuning.ts";
import { FAMILIES, type InspectedKernel, inspectKernels, Unavailable } from "./driver.ts";
import { estimateMs, GPUS, modelledStep } from "./model.ts";
import { kvKernels, planningContext, staticFigures, stepKernels } from "./statics.ts";

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** Joins the first cells of rows whose others are equal. */
function joined(rows: readonly (readonly [string, ...(string | number)[]])[]): (string | number)[][] {
  const groups = Map.groupBy(rows, ([, ...others]) => JSON.stringify(others));
  return [...groups.values()].map((group) => [group.map(([name]) => name).join(", "), ...group[0]!.slice(1)]);
}

function staticTable(): string {
  const rows = [HARDWARE_TUNING, SUBGROUP_TUNING].flatMap((tuning) =>
    WEIGHT_DTYPES.flatMap((dtype) => {
      const context = planningContext(tuning, dtype);
      const ofKv = KV_DTYPES.includes(dtype) ? kvKernels(context, dtype) : [];
      return [...stepKernels(context), ...ofKv].flatMap((kernel) => {
        const figures = staticFigures(kernel), { plan: { spec }, name, step } = kernel;
        if (!figures || (tuning.subgroups && !spec.subgroups)) return [];
        const { workgroups, lanes, busy, trips, lines, flopPerByte } = figures;
        const way = tuning.subgroups ? `${step}, subgroups` : step;
        const bytes = flopPerByte?.toFixed(1) ?? "";
        const reading = busy === lanes ? lanes : `${busy} of ${lanes}`;
        return [[name, way, dtype, workgroups, reading, trips, lines, bytes] as const];
      });
    })
  );
  return table(
    ["kernels", "step", "stored", "workgroups", "lanes", "trips", "lines", "flop/byte"],
    joined(rows.map(([...row]) => row)),
  );
}

function driverTable(kernels: readonly InspectedKernel[]): string {
  const families = Object.keys(FAMILIES);
  const rows = kernels.map(({ name, step, dtype, kernel, families: own }) =>
    [
      name,
      step,
      dtype,
      kernel,
      ...families.map((family) => {
        const { registers, waves, waveLanes, loads, spills, scratch } = own[family]!;
        return `${registers}, ${waves} × ${waveLanes}, ${loads}, ${spills + scratch}`;
      }),
      own[families[0]!]!.workgroupBytes,
    ] as const
  );
  return table(
    ["kernels", "step", "stored", "file", ...families, "workgroup bytes"],
    joined(rows.map(([...row]) => row)),
  );
}

function modelTable(): string {
  const rows = Object.entries(GPUS).map(([gpu, bytesPerSecond]) => [
    gpu,
    ...WEIGHT_DTYPES.map((dtype) => {
      const { range, floor } = estimateMs(modelledStep(HARDWARE_TUNING, dtype), bytesPerSecond);
      return `${range.map((ms) => ms.toFixed(2)).join(" to ")} (${floor.toFixed(2)})`;
    }),
  ]);
  return table(["GPU", ...WEIGHT_DTYPES], rows);
}

if (import.meta.main) {
  console.log(`${staticTable()}\n`);
  console.log("A decode step after 512 tokens by a model, in ms, and what its bytes alone would take:\n");
  console.log(`${modelTable()}\n`);
  try {
    console.log("By family: registers, waves of a SIMD, loads under way at once, spills and scratch.\n");
    console.log(driverTable(await inspectKernels()));
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.error(`skipped: ${error.message}`);
  }
}
