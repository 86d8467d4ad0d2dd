/**
 * `deno task peers`: times GPT-2 124M with the same made-up weights in kvbench and in other programs, in turns, and
 * checks the output of each. Fetches the others' packages and writes 2.2 GB of weights to `.cache/peers` on its first run.
 *
 *   deno task peers [--peers kvbench,llama.cpp] [--storage f32,int8] [--rounds 5] [--json FILE] [--docs]
 *   deno task peers --delete-weights
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { UsageError } from "../../src/base/errors.ts";
import { VERSION } from "../../src/base/version.ts";
import { PRESETS } from "../../src/checkpoint/config.ts";
import { machineFacts } from "../../src/host/machine.ts";
import { checkWritable, writeWhole } from "../../src/report/write.ts";
import { withPart } from "../marked_part.ts";
import { comparePeers } from "./compare.ts";
import { STORAGES } from "./peer.ts";
import type { PeersRecord } from "./record.ts";
import { BEST, ROSTER } from "./roster.ts";
import { peersTable } from "./table.ts";
import { deleteWeights } from "./weights.ts";

const DOCS = new URL("../../docs/", import.meta.url);
/** The record that the documentation shows. */
export const RECORD: string = fileURLToPath(new URL("peers.json", DOCS));
/** The page that shows it, and the name of the part. */
export const PAGE: string = fileURLToPath(new URL("performance.md", DOCS));
export const PART = "peers";

/** Returns the part of the page. */
export function pagePart(record: PeersRecord): string {
  return `\`\`\`text\n${peersTable(record)}\n\`\`\``;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      "peers": { type: "string" },
      "storage": { type: "string" },
      "rounds": { type: "string", default: "5" },
      "json": { type: "string" },
      "docs": { type: "boolean", default: false },
      "delete-weights": { type: "boolean", default: false },
    },
  });
  if (values["delete-weights"]) return await deleteWeights();
  const rounds = Number(values.rounds);
  if (!(Number.isInteger(rounds) && rounds >= 1)) {
    throw new UsageError(`--rounds ${values.rounds} is not valid: expected an integer from 1 on`);
  }
  const names = chosen("peers", values.peers, ROSTER.map(({ name }) => name));
  const storages = chosen("storage", values.storage, STORAGES);
  if (values.json !== undefined) await checkWritable(values.json);
  const record: PeersRecord = {
    kvbench: VERSION,
    date: new Date().toISOString(),
    machine: await machineFacts(),
    rounds,
    peers: await comparePeers({
      config: PRESETS.gpt2,
      seed: 0,
      rounds,
      peers: [...ROSTER.filter(({ name }) => names.includes(name)), BEST],
      storages,
      onStep: (text) => console.error(text),
    }),
  };
  console.log(peersTable(record));
  const json = `${JSON.stringify(record, null, 1)}\n`;
  if (values.json !== undefined) await writeWhole(values.json, json);
  if (values.docs) {
    await writeWhole(RECORD, json);
    await writeWhole(PAGE, withPart(await Deno.readTextFile(PAGE), PART, pagePart(record)));
  }
}

/** Reads a list of names. Default: all. */
function chosen<Name extends string>(option: string, text: string | undefined, all: readonly Name[]): Name[] {
  if (text === undefined) return [...all];
  return text.split(",").map((name) => {
    const found = all.find((each) => each === name.trim());
    if (found === undefined) {
      throw new UsageError(`--${option} ${name} is not valid: expected ${all.join(", ")}`);
    }
    return found;
  });
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    Deno.exit(error instanceof UsageError || error instanceof TypeError ? 2 : 1);
  });
}
