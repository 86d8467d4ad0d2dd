/**
 * The executor of serving plans: the GPU with a loaded model, or a dry run for a model's dimensions alone.
 */
import type { Command } from "../../options/commander.ts";
import { sharingStrategy } from "../../../kv/registry.ts";
import { describeModel } from "../../../hub/locate.ts";
import { dryRun, gpuRun } from "../../../simulate/run_plan.ts";
import type { ServingEntry } from "../../../simulate/entry.ts";
import { HARDWARE, type Hardware } from "../../../simulate/hardware.ts";
import { type ModelShape, OPT_SHAPES, shapeOf } from "../../../simulate/model_shape.ts";
import type { ServingPlan } from "../../../simulate/plan.ts";
import type { RunFacts, ServingSetup } from "../../../simulate/serving_result.ts";
import type { ServingProgress } from "../../../simulate/run_policy.ts";
import { checkFirst } from "../../session/checked.ts";
import type { PrecisionOptions } from "../../options/model_options.ts";
import { servingNeed } from "../../../simulate/serving_need.ts";
import { hashed } from "../../session/open_model.ts";
import { withSession } from "../../session/session.ts";
import { addOptions, inGroup, type Values } from "../../options/option_spec.ts";

const DRY_RUN_OPTIONS = inGroup(
  "Simulation",
  {
    flags: "--dry-run",
    help: "Run scheduler and allocators without a GPU; times are modelled",
    default: false,
  },
  {
    flags: "--gpu <name>",
    help: "GPU whose rates a dry run is modelled on",
    choices: HARDWARE.map(({ name }) => name),
    default: "a100-40gb",
  },
);

/** Values of {@linkcode addDryRunOptions} and of the options of a model. */
export type SimulatorOptions = PrecisionOptions & Values<typeof DRY_RUN_OPTIONS>;

interface Simulator {
  readonly shape: ModelShape;
  /** Facts of the run, for records. */
  readonly facts: RunFacts;
  /** True if steps are carried out, so that their times are measured. */
  readonly measured: boolean;
  /** Serves a plan's requests with one policy after another. */
  run(plan: ServingPlan, onProgress?: ServingProgress): Promise<ServingEntry[]>;
}

/** Adds the choice between a GPU and none to a subcommand. */
export function addDryRunOptions(command: Command): Command {
  return addOptions(command, ...DRY_RUN_OPTIONS);
}

/**
 * Makes one as the options say, runs `use`, and frees what was opened.
 *
 * @param prepare Called with the model's dimensions before the GPU is touched, to refuse early what can't work.
 * @param planOf The plan with every policy that `use` will run.
 * @throws {UsageError | KvbenchError} If there is no such model, no adapter, it does not fit, or `prepare` or `use` fails.
 */
export async function withSimulator<P, T>(
  options: SimulatorOptions,
  prepare: (shape: ModelShape) => Promise<P>,
  use: (simulator: Simulator, prepared: P) => Promise<T>,
  planOf: (prepared: P) => ServingPlan,
): Promise<T> {
  const factsOf = (clock: ServingSetup["clock"]) => ({
    created: new Date().toISOString(),
    command: [...Deno.args],
    clock,
  });
  if (options.dryRun) {
    const shape = await shapeFor(options);
    const hardware = HARDWARE.find(({ name }) => name === options.gpu)!;
    return await use({
      shape,
      facts: factsOf(modelled(hardware)),
      measured: false,
      run: (plan, onProgress) => dryRun(plan, shape, { hardware, ...(onProgress && { onProgress }) }),
    }, await prepare(shape));
  }
  return await withSession(options, async (checkpoint) => {
    const shape = shapeOf(checkpoint.name, checkpoint.config, options);
    return { shape, prepared: await prepare(shape), weights: await hashed(checkpoint) };
  }, async ({ gpu, model }, { shape, prepared, weights }) => {
    const { kvDtype } = options;
    const strategies = [sharingStrategy().name, ...planOf(prepared).policies];
    await checkFirst(model, { weights, strategies, kvDtypes: [kvDtype] });
    const { description, software } = gpu.facts;
    return await use({
      shape,
      facts: factsOf({ source: "gpu", adapter: description, software }),
      measured: true,
      run: (plan, onProgress) => gpuRun(plan, shape, model, { kvDtype, ...(onProgress && { onProgress }) }),
    }, prepared);
  }, ({ prepared, shape }) => {
    const plan = planOf(prepared), { policies } = plan, { kvDtype } = options;
    return { work: (context) => servingNeed(context, { plan, policies, shape, kvDtype }) };
  });
}

/** A model's dimensions; those of published ones are known without a checkpoint. */
async function shapeFor({ model, weightsDtype, kvDtype }: SimulatorOptions): Promise<ModelShape> {
  const known = OPT_SHAPES.find(({ name }) => name === model);
  return known ?? shapeOf(model, (await describeModel(model)).config, { weightsDtype, kvDtype });
}

function modelled(hardware: Hardware): ServingSetup["clock"] {
  return {
    source: "model",
    gpu: hardware.name,
    bytes_per_second: hardware.bytesPerSecond,
    flops_per_second: hardware.flopsPerSecond,
    host_bytes_per_second: hardware.hostBytesPerSecond,
    overhead_ms: hardware.overheadMs,
  };
}
