/** `kvbench weights`: the models in the cache of the hub, which other tools share. */
import { Command } from "../options/commander.ts";
import { KvbenchError, UsageError } from "../../base/errors.ts";
import { Hub, whatIsMissing } from "../../hub/hub.ts";
import { MODEL_NAMES } from "../../hub/locate.ts";
import { CONFIG, readJson } from "../../hub/model_files.ts";
import { type HubModel, hubModelOf, MAIN, nameOf } from "../../hub/names.ts";
import { parameterCount, parseConfig } from "../../checkpoint/config.ts";
import { drawTable } from "../../report/text_table.ts";
import { formatBytes, formatCount } from "../../report/units.ts";
import { fetchProgress } from "../terminal/fetch_progress.ts";
import { describeHelp } from "../options/help.ts";
import { PRINT_JSON } from "../options/json_output.ts";
import { addOptions } from "../options/option_spec.ts";
import { withProgress } from "../terminal/progress.ts";
import { writeLine } from "../terminal/stdout.ts";

const MODELS = "gpt2, distilgpt2 and the like, OWNER/NAME or OWNER/NAME@REVISION";

export function weightsCommand(): Command {
  const weights = new Command("weights")
    .usage("COMMAND")
    .summary("List, fetch, verify and remove models of the hub's cache")
    .description("Show and manage the models in the hub's cache, which other tools share.");
  describeHelp(weights, {
    examples: [
      ["Show which GPT-2 models are there", "weights list"],
      ["Fetch one, so that it works offline", "weights pull gpt2"],
    ],
  });
  const list = addOptions(weights.command("list"), PRINT_JSON)
    .description("Show the GPT-2 models in the cache")
    .action(showModels);
  describeHelp(list, { examples: [["Show them as JSON", "weights list --json"]] });
  const pull = weights.command("pull")
    .description("Fetch models, or what is new of them")
    .argument("<models...>", MODELS)
    .action(fetchModels);
  describeHelp(pull, { examples: [["Fetch two models", "weights pull gpt2 distilgpt2"]] });
  const verify = weights.command("verify")
    .description("Hash the files of models again")
    .argument("[models...]", `${MODELS}. Default: all`)
    .action(verifyModels);
  describeHelp(verify, { examples: [["Verify one model", "weights verify gpt2"]] });
  const rm = weights.command("rm")
    .description("Remove models, for all tools that share the cache")
    .argument("<models...>", MODELS)
    .action(removeModels);
  describeHelp(rm, { examples: [["Remove a model", "weights rm gpt2-xl"]] });
  return weights;
}

/** A model in the cache. */
interface CachedModel {
  readonly name: string;
  readonly n_parameters: number;
  readonly bytes: number;
  /** Bytes of an interrupted download. */
  readonly incomplete_bytes: number;
  readonly commit: string;
  readonly folder: string;
  /** Reason that it can't be used, or null if it can. */
  readonly missing: string | null;
}

async function showModels({ json }: { json: boolean }): Promise<void> {
  const { cache } = new Hub();
  const { models, others } = await modelsIn(new Hub());
  if (json) return writeLine(JSON.stringify({ cache: cache.root, models, others }, null, 2));
  if (models.length > 0) {
    const rows = models.map(({ name, n_parameters, bytes, incomplete_bytes, commit, missing }) => {
      const rest = incomplete_bytes === 0 ? "" : ` + ${formatBytes(incomplete_bytes)} incomplete`;
      const size = formatBytes(bytes) + rest;
      return [name, formatCount(n_parameters), size, commit.slice(0, 12), missing ?? "complete"];
    });
    writeLine(drawTable(rows, { head: ["model", "parameters", "size", "commit", "state"], align: "lrrl" }));
  }
  const what = models.length === 0 ? "No GPT-2 model in" : "In";
  writeLine(`${what} ${cache.root}${others === 0 ? "" : `, beside ${others} other repositories`}`);
}

async function modelsIn(hub: Hub): Promise<{ models: CachedModel[]; others: number }> {
  const models: CachedModel[] = [];
  let others = 0;
  for (const repository of await hub.cache.repositories()) {
    const before = models.length;
    for (const revision of await hub.cache.revisions(repository)) {
      const snapshot = await hub.cache.find({ repository, revision });
      const config = snapshot === undefined ? undefined : await configIn(snapshot.folder);
      // A model under its old name is also found under its new one.
      if (snapshot === undefined || config === undefined || snapshot.repository !== repository) continue;
      const { bytes, incompleteBytes } = await hub.cache.usage(repository);
      models.push({
        name: nameOf(snapshot),
        n_parameters: parameterCount(config),
        // Revisions share what is equal in them, and a broken download names none.
        bytes: revision === MAIN ? bytes : await hub.cache.bytesOf(snapshot),
        incomplete_bytes: revision === MAIN ? incompleteBytes : 0,
        commit: snapshot.commit,
        folder: snapshot.folder,
        missing: (await whatIsMissing(snapshot))?.message ?? null,
      });
    }
    if (models.length === before) others++;
  }
  return { models, others };
}

/** Reads the configuration of the GPT-2 in a folder; undefined if it holds another model or none. */
async function configIn(folder: string) {
  try {
    return parseConfig(await readJson(`${folder}/${CONFIG}`), CONFIG);
  } catch (error) {
    if (error instanceof KvbenchError) return undefined;
    throw error;
  }
}

async function fetchModels(names: string[]): Promise<void> {
  const models = names.map(modelNamed);
  const hub = new Hub();
  for (const model of models) {
    const { folder } = await withProgress((bar) => hub.fetch(model, { events: fetchProgress(bar) }));
    writeLine(`${nameOf(model)}: ${folder}`);
  }
}

async function verifyModels(names: string[]): Promise<void> {
  const given = names.map(modelNamed);
  const hub = new Hub();
  const all = given.length > 0
    ? given
    // A name of one part is what older tools have put there.
    : (await modelsIn(hub)).models.map(({ name }) =>
      hubModelOf(name) ?? { repository: name, revision: MAIN }
    );
  const damaged: string[] = [];
  for (const model of all) {
    const snapshot = await hub.cache.find(model);
    if (snapshot === undefined) throw notCached(hub, model);
    const missing = await whatIsMissing(snapshot);
    if (missing !== undefined) throw missing;
    const name = nameOf(model), total = await hub.cache.bytesOf(snapshot);
    const files = await withProgress((bar) => {
      bar.start(`Hashing ${name}`, total, "bytes");
      return hub.verify(snapshot, (bytes) => bar.update(bytes));
    });
    for (const { path, bytes, state } of files) {
      writeLine(`${name} ${path}: ${SAID[state]} (${formatBytes(bytes)})`);
      if (state === "damaged") damaged.push(`${path} of ${name}`);
    }
  }
  if (all.length === 0) writeLine(`No GPT-2 model in ${hub.cache.root}`);
  if (damaged.length === 0) return;
  throw new KvbenchError(
    `${damaged.join(", ")}: the content is not what its hash says. Run kvbench weights rm, then pull`,
  );
}

const SAID = {
  ok: "ok",
  damaged: "DAMAGED",
  unknown: "not checked, the cache holds no hash of it",
} as const;

async function removeModels(names: string[]): Promise<void> {
  const models = names.map(modelNamed);
  const one = models.find(({ revision }) => revision !== MAIN);
  if (one !== undefined) {
    throw new UsageError(
      `${
        nameOf(one)
      } shares files with its other revisions: expected ${one.repository}, with which all of them go`,
    );
  }
  const { cache } = new Hub();
  for (const model of models) {
    const bytes = await cache.remove(model.repository);
    if (bytes === undefined) throw notCached({ cache }, model);
    writeLine(`${model.repository}: removed, ${formatBytes(bytes)}`);
  }
}

function modelNamed(name: string): HubModel {
  const model = hubModelOf(name);
  if (model !== undefined) return model;
  throw new UsageError(`${JSON.stringify(name)} is no model of the hub: expected one of ${MODEL_NAMES}`);
}

function notCached({ cache }: Pick<Hub, "cache">, model: HubModel): KvbenchError {
  return new KvbenchError(`Model ${nameOf(model)} is not in ${cache.root}`);
}
