/**
 * `kvbench ladder`: climbs from a notebook's loop to a serving engine, one change a rung, and shows what each is worth.
 */
import { checkContext, checkIds, type Gpt2Config } from "../../checkpoint/config.ts";
import type { TensorSource, WeightsOrigin } from "../../checkpoint/checkpoint.ts";
import type { Tokenizer } from "../../checkpoint/tokenizer.ts";
import { DEFAULT_DTYPE, HALF_DTYPE } from "../../formats/registry.ts";
import { machineFacts } from "../../host/machine.ts";
import { plainStrategy } from "../../kv/registry.ts";
import { ladderNeed } from "../../measure/ladder/ladder_need.ts";
import {
  LADDER_KIND,
  type LadderPlan,
  type LadderResult,
  parseLadder,
} from "../../measure/ladder/ladder_result.ts";
import { runLadder, type WeighedModel } from "../../measure/ladder/run_ladder.ts";
import { describeEnvironment } from "../../measure/record/environment.ts";
import { headOf } from "../../measure/record/record.ts";
import { modelRecord } from "../../measure/record/new_result.ts";
import { madeUpPrompt } from "../../measure/run/grid.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { memoryNeed } from "../../model/memory.ts";
import { ladderFigure } from "../../report/figures/ladder.ts";
import { formatJson } from "../../report/json.ts";
import { ladderTable } from "../../report/ladder/table.ts";
import { reportPage } from "../../report/page/page.ts";
import { figurePng } from "../../report/png.ts";
import { writeUnderNewName, writeWhole } from "../../report/write.ts";
import { shapeOf } from "../../simulate/model_shape.ts";
import { pagingGain } from "../../simulate/paging_gain.ts";
import { OUT, PROMPTS, SEED, TARGET_CI } from "../options/bench_options.ts";
import { Command } from "../options/commander.ts";
import { checkDestination, type Destination, destinationOf } from "../options/destination.ts";
import { describeHelp } from "../options/help.ts";
import { JSON_FILE, LANG } from "../options/json_output.ts";
import { addUntypedModelOptions, type UntypedModelOptions } from "../options/model_options.ts";
import { addOptions, inGroup, optionList, type Values } from "../options/option_spec.ts";
import { MOST_SECONDS, MOST_TOKENS, wholeNumber } from "../options/values.ts";
import { checkFirst } from "../session/checked.ts";
import { hashed } from "../session/open_model.ts";
import { type Session, withSession } from "../session/session.ts";
import { withProgress } from "../terminal/progress.ts";
import { writeLine } from "../terminal/stdout.ts";
import { promptOf } from "./bench/bench_plan.ts";
import { savePageAndChart } from "./bench/bench_reports.ts";

const LADDER_OPTIONS = optionList(
  ...PROMPTS,
  ...inGroup("Workload", {
    flags: "--new-tokens <n>",
    help: "Tokens to generate, greedily",
    parse: wholeNumber(2, MOST_TOKENS),
    default: 32,
  }),
  SEED,
  ...inGroup("Measuring", {
    flags: "--runs <n>",
    help: "Measured runs of each rung in each pair",
    parse: wholeNumber(1, 1000),
    defaultText: "until --target-ci or --max-seconds is reached",
  }, {
    flags: "--max-seconds <n>",
    help: "Seconds of measured runs, divided among pairs of rungs, which have 5 rounds at least",
    parse: wholeNumber(1, MOST_SECONDS),
    default: 45,
  }),
  TARGET_CI,
  OUT,
  JSON_FILE,
  LANG,
);

type Options = UntypedModelOptions & Values<typeof LADDER_OPTIONS>;

export function ladderCommand(): Command {
  const command = addOptions(addUntypedModelOptions(new Command("ladder")), ...LADDER_OPTIONS);
  return describeHelp(command, {
    everyday: "model prompt prompt-tokens new-tokens max-seconds out json lang",
    examples: [
      ["See where a serving engine's speed comes from", "ladder"],
      ["The same in Chinese, with a longer prompt", "ladder --lang zh --prompt-tokens 256"],
      ["Keep the result for report", "ladder --json ladder.json"],
    ],
  })
    .summary("Climb from a notebook's loop to a serving engine, rung by rung")
    .description(
      "Climb from a notebook's loop to a serving engine, one change a rung, and show what each change is worth.",
    )
    .action(run);
}

/** Facts that are known before the GPU is opened. */
interface Prepared {
  readonly checkpoint: TensorSource;
  readonly plan: LadderPlan;
  readonly weights: WeightsOrigin;
}

async function run(options: Options): Promise<void> {
  const to = destinationOf({ ...options, format: "table" });
  await checkDestination(to);
  const created = new Date();
  const result = await withSession(
    { ...options, weightsDtype: DEFAULT_DTYPE },
    (checkpoint, tokenizer) => prepare(checkpoint, tokenizer, options),
    (session, prepared) => measure(session, prepared, created),
    ({ plan, checkpoint: { config } }) => ({
      work: (context) => {
        const { weightsBytes } = memoryNeed(config, { ...context.tuning, weightsDtype: HALF_DTYPE });
        return ladderNeed(context, plan, weightsBytes);
      },
    }),
  );
  await give(result, to, { ...options, created });
}

async function prepare(
  checkpoint: TensorSource,
  tokenizer: Tokenizer | undefined,
  options: Options,
): Promise<Prepared> {
  const plan = await planOf(options, checkpoint.config, tokenizer);
  return { checkpoint, plan, weights: await hashed(checkpoint) };
}

async function planOf(
  options: Options,
  { vocabSize, nCtx }: Gpt2Config,
  tokenizer: Tokenizer | undefined,
): Promise<LadderPlan> {
  const { newTokens, runs, targetCi, maxSeconds, seed } = options;
  const { text, ids, lengths } = await promptOf(options, tokenizer);
  checkContext(lengths[0]!, newTokens, nCtx);
  checkIds(ids ?? [], vocabSize);
  return {
    prompt: text,
    prompt_ids: [...ids ?? madeUpPrompt(lengths[0]!, vocabSize, seed)],
    new_tokens: newTokens,
    runs: runs ?? null,
    target_ci: targetCi,
    max_seconds: maxSeconds,
    seed,
  };
}

/** Loads the model in half precision too, checks both, and measures the rungs. */
async function measure(
  { gpu, model, modelName }: Session,
  { checkpoint, plan, weights }: Prepared,
  created: Date,
): Promise<LadderResult> {
  const { ledger } = gpu, { tuning } = model;
  const lowest: WeighedModel = { model, weightsBytes: ledger.current.weights };
  const half = await Gpt2.load(gpu, checkpoint, { tuning, weightsDtype: HALF_DTYPE });
  try {
    const narrow: WeighedModel = { model: half, weightsBytes: ledger.current.weights - lowest.weightsBytes };
    for (const each of [model, half]) {
      await checkFirst(each, { weights, strategies: [plainStrategy().name], kvDtypes: [DEFAULT_DTYPE] });
    }
    const environment = await describeEnvironment(gpu, tuning, await machineFacts());
    const shape = shapeOf(modelName, checkpoint.config, { weightsDtype: HALF_DTYPE, kvDtype: DEFAULT_DTYPE });
    const sequences = await pagingGain(shape, plan.seed);
    const measured = await withProgress((bar) =>
      runLadder((dtype) => dtype === HALF_DTYPE ? narrow : lowest, plan, {
        run: (what, names, done, of) => {
          const said = what === "check" ? "Checking the rungs" : "Rungs in turns";
          if (done === 0) bar.start(said, of, what === "check" ? "rungs" : "pairs");
          bar.update(done, `${said}: ${names.join(" and ")}`);
        },
      })
    );
    const record: LadderResult = {
      ...headOf(LADDER_KIND),
      created: created.toISOString(),
      command: [...Deno.args],
      environment,
      model: modelRecord(model, modelName, weights),
      plan,
      ...measured,
      sequences,
    };
    return parseLadder(record, "the result of this run");
  } finally {
    half.dispose();
  }
}

/** Writes the result to its destination, and prints it. */
async function give(
  result: LadderResult,
  { file, folder, hint }: Destination,
  { json, lang, created }: Pick<Options, "json" | "lang"> & { readonly created: Date },
): Promise<void> {
  const text = formatJson(result);
  if (json === "-") return writeLine(text);
  if (file !== undefined) await writeWhole(file, text + "\n");
  writeLine(ladderTable(result, lang));
  if (folder !== undefined) {
    const path = await writeUnderNewName(folder, created, text + "\n");
    writeLine(`\nResult: ${path}`);
    const page = reportPage([result], { lang });
    await savePageAndChart(path, { page, draw: () => figurePng(ladderFigure(result)) }, writeLine);
  } else if (hint !== undefined) writeLine(`\n${hint}`);
}
