/**
 * `kvbench quality`: what strategies and storage types cost in quality, as their divergence from full float32 on a text.
 */
import { basename } from "node:path";
import { UsageError } from "../../base/errors.ts";
import type { TensorSource } from "../../checkpoint/checkpoint.ts";
import { checkIds, type Gpt2Config } from "../../checkpoint/config.ts";
import type { Tokenizer } from "../../checkpoint/tokenizer.ts";
import { inTurn, type NeedContext, withOther, type WorkNeed } from "../../engine/work_need.ts";
import { DEFAULT_DTYPE, formatOf } from "../../formats/registry.ts";
import { readText } from "../../host/files.ts";
import { machineFacts } from "../../host/machine.ts";
import { QUALITY_KIND, type QualityResult } from "../../measure/quality/quality_result.ts";
import { type Compared, recallCells, scoreCells } from "../../measure/quality/run_quality.ts";
import { partsOf, scoringNeed, type TextPart } from "../../measure/quality/score.ts";
import { TALE } from "../../measure/quality/tale.ts";
import { describeEnvironment } from "../../measure/record/environment.ts";
import { headOf } from "../../measure/record/record.ts";
import { modelRecord } from "../../measure/record/new_result.ts";
import type { CellPlan } from "../../measure/run/grid.ts";
import { Gpt2 } from "../../model/gpt2.ts";
import { memoryNeed } from "../../model/memory.ts";
import { qualityTable } from "../../report/quality_table.ts";
import { Command } from "../options/commander.ts";
import { describeHelp } from "../options/help.ts";
import { checkJson, giveResult } from "../options/json_output.ts";
import { addQualityOptions, cellsOf, contextOf, type QualityOptions } from "../options/quality_options.ts";
import { idList } from "../options/values.ts";
import { checkFirst } from "../session/checked.ts";
import { hashed } from "../session/open_model.ts";
import { type Session, withSession } from "../session/session.ts";
import { withProgress } from "../terminal/progress.ts";

/** Declares the subcommand. */
export function qualityCommand(): Command {
  return describeHelp(addQualityOptions(new Command("quality")), {
    everyday: "model strategies kv-dtypes weights-dtype sweep context parts retrieval ids json",
    examples: [
      ["Score every strategy and storage type on a text", "quality story.txt"],
      ["Save the result, and make a page of it", "quality story.txt --json quality.json"],
      ["See at which distance a strategy has forgotten", "quality --kv-dtypes f32 --retrieval 16,64,256"],
    ],
  })
    .summary("Score strategies and storage types against full float32")
    .description(
      "Compare the logits of strategies and storage types with those of full float32, token by token on a text.",
    )
    .argument("[file]", "Text in UTF-8. Default: a tale of 1,275 tokens that comes with kvbench")
    .action(run);
}

/** A text in parts, and the cells that go through them. */
interface Work {
  readonly source: string;
  readonly ids: readonly number[];
  readonly parts: readonly TextPart[];
  readonly cells: readonly CellPlan[];
  readonly checkpoint: TensorSource;
}

async function run(file: string | undefined, options: QualityOptions): Promise<void> {
  await checkJson(options);
  const text = file === undefined ? TALE : await readText(file);
  const created = new Date().toISOString();
  const session = { ...options, kvDtype: options.kvDtypes?.[0] ?? DEFAULT_DTYPE };
  const result = await withSession(session, (checkpoint, tokenizer) => {
    const { config } = checkpoint, ids = idsOf(text, options, tokenizer);
    checkIds(ids, config.vocabSize);
    const { promptTokens, parts: most } = options;
    const parts = partsOf(ids, { context: contextOf(options, config), promptTokens, most });
    const prompt = parts[0]!.promptTokens, newTokens = parts[0]!.ids.length - prompt;
    const cells = cellsOf(options, config, { promptTokens: prompt, newTokens });
    checkDistances(options, new Set(ids).size, config);
    const source = file === undefined ? "the tale of kvbench" : basename(file);
    return Promise.resolve<Work>({ source, ids, parts, cells, checkpoint });
  }, async (session, work) => {
    const weights = await hashed(work.checkpoint);
    await checkFirst(session.model, {
      weights,
      strategies: work.cells.map(({ strategy }) => strategy),
      kvDtypes: kvTypesOf(work),
    });
    const figures = await withFloat32(session, work.checkpoint, (models) => measure(models, work, options));
    const { ids, parts, source } = work, [{ ids: { length: context }, promptTokens }] = parts as [TextPart];
    return {
      ...headOf(QUALITY_KIND),
      created,
      command: [...Deno.args],
      environment: await describeEnvironment(session.model.gpu, session.model.tuning, await machineFacts()),
      model: modelRecord(session.model, session.modelName, weights),
      text: { source, tokens: ids.length, parts: parts.length, context, prompt_tokens: promptTokens },
      ...figures,
    } as QualityResult;
  }, (work) => ({ work: (context) => needOf(context, work, options) }));
  await giveResult(result, qualityTable, options);
}

function idsOf(text: string, { ids }: QualityOptions, tokenizer: Tokenizer | undefined): number[] {
  if (ids) return idList(text.trim());
  if (!tokenizer) throw new UsageError("This model has no tokenizer: expected a file of token ids and --ids");
  return [...tokenizer.encode(text)];
}

function checkDistances({ retrieval = [] }: QualityOptions, different: number, { nCtx }: Gpt2Config): void {
  const most = Math.min(different, Math.floor(nCtx / 2)), far = retrieval.find((distance) => distance > most);
  if (far === undefined) return;
  throw new UsageError(
    `A distance of ${far} tokens is too far: expected at most ${most}, half of the model's context and no more ` +
      "than the text has different tokens",
  );
}

function kvTypesOf({ cells }: Work): string[] {
  return [...new Set(cells.map(({ settings }) => settings.kv_dtype))];
}

/** Loads the model a second time, in float32, where it has narrower weights. */
async function withFloat32<T>(
  { gpu, model }: Session,
  checkpoint: TensorSource,
  use: (models: Compared) => Promise<T>,
): Promise<T> {
  if (formatOf(model.weightsDtype).exact) return await use({ f32: model, model });
  const f32 = await Gpt2.load(gpu, checkpoint, { tuning: model.tuning, weightsDtype: DEFAULT_DTYPE });
  try {
    return await use({ f32, model });
  } finally {
    f32.dispose();
  }
}

async function measure(
  models: Compared,
  { ids, parts, cells }: Work,
  { retrieval: distances, seed }: QualityOptions,
): Promise<Pick<QualityResult, "reference_perplexity" | "cells" | "retrieval">> {
  return await withProgress(async (bar) => {
    const positions = parts.reduce((sum, part) => sum + part.ids.length - part.promptTokens, 0);
    bar.start("Scoring", positions * cells.length, "positions");
    const scored = await scoreCells(models, cells, parts, (done) => bar.update(done));
    let retrieval: QualityResult["retrieval"] = null;
    if (distances !== undefined) {
      bar.start("Recalling", distances.length, "distances");
      const tokens = [...new Set(ids)];
      retrieval = await recallCells(models, cells, { tokens, distances, seed }, (done) => bar.update(done));
    }
    return { reference_perplexity: scored.referencePerplexity, cells: scored.cells, retrieval };
  });
}

function needOf(
  context: NeedContext,
  { cells, parts }: Work,
  { weightsDtype, retrieval = [] }: QualityOptions,
): WorkNeed {
  const sequences = [
    parts[0]!,
    ...retrieval.map((distance) => ({ ids: { length: 2 * distance }, promptTokens: distance + 1 })),
  ];
  const need = inTurn(...sequences.map((part) => scoringNeed(context, cells, part)));
  if (formatOf(weightsDtype).exact) return need;
  const { weightsBytes } = memoryNeed(context.config, { ...context.tuning, weightsDtype: DEFAULT_DTYPE });
  return withOther(need, { gpu: weightsBytes });
}
