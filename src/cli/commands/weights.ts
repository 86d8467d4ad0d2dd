/**
 * `kvbench weights`: the models in the cache of the hub, which other tools share.
 *
 * @module
 */
import { Command } from "../options/commander.ts";
import { KvbenchError, UsageError } from "../../base/errors.ts";
import { Hub, whatIsMissing } from "../../hub/hub.ts";
import { MODEL_NAMES } from "../../hub/locate.ts";
import { CONFIG, readJson } from "../../hub/model_files.ts";
import { repositoryOf } from "../../hub/names.ts";
import { parameterCount, parseConfig } from "../../checkpoint/config.ts";
import { drawTable } from "../../report/text_table.ts";
import { formatBytes, formatCount } from "../../report/units.ts";
import { fetchProgress } from "../terminal/fetch_progress.ts";
import { describeHelp } from "../options/help.ts";
import { PRINT_JSON } from "../options/json_output.ts";
import { addOptions } from "../options/option_spec.ts";
import { withProgress } from "../terminal/progress.ts";
import { writeLine } from "../terminal/stdout.ts";

const MODELS = "gpt2, distilgpt2 and the like, or OWNER/NAME";

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
  for (const name of await hub.cache.repositories()) {
    const snapshot = await hub.cache.find(name);
    const config = snapshot === undefined ? undefined : await configIn(snapshot.folder);
    // A model under its old name is also found under its new one.
    if (snapshot === undefined || config === undefined || snapshot.repository !== name) {
      others++;
      continue;
    }
    const { bytes, incompleteBytes } = await hub.cache.usage(name);
    models.push({
      name,
      n_parameters: parameterCount(config),
      bytes,
      incomplete_bytes: incompleteBytes,
      commit: snapshot.commit,
      folder: snapshot.folder,
      missing: (await whatIsMissing(snapshot))?.message ?? null,
    });
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
  const repositories = names.map(repositoryNamed);
  const hub = new Hub();
  for (const repository of repositories) {
    const { folder } = await withProgress((bar) => hub.fetch(repository, { events: fetchProgress(bar) }));
    writeLine(`${repository}: ${folder}`);
  }
}

async function verifyModels(names: string[]): Promise<void> {
  const repositories = names.map(repositoryNamed);
  const hub = new Hub();
  const all = repositories.length > 0 ? repositories : (await modelsIn(hub)).models.map(({ name }) => name);
  const damaged: string[] = [];
  for (const repository of all) {
    const snapshot = await hub.cache.find(repository);
    if (snapshot === undefined) throw notCached(hub, repository);
    const missing = await whatIsMissing(snapshot);
    if (missing !== undefined) throw missing;
    const { bytes: total } = await hub.cache.usage(snapshot.repository);
    const files = await withProgress((bar) => {
      bar.start(`Hashing ${repository}`, total, "bytes");
      return hub.verify(snapshot, (bytes) => bar.update(bytes));
    });
    for (const { path, bytes, state } of files) {
      writeLine(`${repository} ${path}: ${SAID[state]} (${formatBytes(bytes)})`);
      if (state === "damaged") damaged.push(`${path} of ${repository}`);
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
  const repositories = names.map(repositoryNamed);
  const { cache } = new Hub();
  for (const repository of repositories) {
    const bytes = await cache.remove(repository);
    if (bytes === undefined) throw notCached({ cache }, repository);
    writeLine(`${repository}: removed, ${formatBytes(bytes)}`);
  }
}

function repositoryNamed(name: string): string {
  const repository = repositoryOf(name);
  if (repository !== undefined) return repository;
  throw new UsageError(`${JSON.stringify(name)} is no model of the hub: expected one of ${MODEL_NAMES}`);
}

function notCached({ cache }: Pick<Hub, "cache">, repository: string): KvbenchError {
  return new KvbenchError(`Model ${repository} is not in ${cache.root}`);
}
