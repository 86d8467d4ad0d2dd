import assert from "node:assert/strict";
import peers from "../../docs/peers.json" with { type: "json" };
import { permitted } from "../../tests/permitted.ts";
import { partOf } from "../marked_part.ts";
import type { PeerRecord, PeersRecord, Sample } from "./record.ts";
import { checkOf, ratioInTurns } from "./record.ts";
import { PAGE, pagePart, PART } from "./run.ts";
import { peersTable } from "./table.ts";

const samples = (...times: number[]): Sample[] => times.map((ms, i) => ({ round: i + 1, ms, steps: 1 }));
const READY = { version: "1.2.3", runs_on: "CPU, 2 threads", kv: "f32" };
const OWN: PeerRecord = {
  peer: "kvbench",
  storage: "f32",
  ready: READY,
  check: { of: "logits", deviation: 2e-6, right: true },
  peak_bytes: 2 ** 30,
  samples: { decode_128: samples(90, 20, 30, 40), prefill_512: samples(2048) },
};
const OTHER: PeerRecord = {
  ...OWN,
  peer: "onnxruntime-node",
  samples: { decode_128: samples(10, 10, 10, 10).slice(1), prefill_512: samples(1024) },
};
const FAILED: PeerRecord = {
  peer: "llama.cpp Vulkan",
  storage: "f32",
  samples: {},
  failed: "It takes no adapter",
};
const RECORD: PeersRecord = {
  kvbench: "0.1.0",
  date: "2026-11-29T00:00:00Z",
  machine: {
    ...{
      git_commit: null,
      deno: "2.9.6",
      v8: "15",
      typescript: "6",
      os: "linux",
      os_release: null,
      arch: "x86_64",
    },
    cpu: { model: "A processor with a name of some length", cores: 2 },
    load_average: [1.5, 1, 1],
  },
  rounds: 3,
  peers: [OWN, OTHER, FAILED],
};

Deno.test("A ratio is the median of the rounds that both peers took part in", () => {
  assert.deepEqual(ratioInTurns(OWN, OTHER, "decode_128"), { ratio: 3, interval: [2, 4], rounds: 3 });
  assert.equal(ratioInTurns(OWN, OTHER, "decode_512"), undefined);
});

Deno.test("An output is right up to a constant, and wrong with a deviation beyond the tolerance or a NaN", () => {
  assert.deepEqual(checkOf("logits", [3, 4, 5], [1, 2, 3], 0), { of: "logits", deviation: 0, right: true });
  assert.equal(checkOf("logits", [3, 4, 5.3], [1, 2, 3], 0.1).right, false);
  assert.equal(checkOf("logits", [3, NaN, 5], [1, 2, 3], 1).right, false);
  assert.throws(() => checkOf("logits", [1], [1, 2], 1), /1 values, expected 2/);
});

Deno.test("The table has times, rates and ratios, says why a peer is missing, and fits into 80 columns", () => {
  const table = peersTable(RECORD);
  for (const line of table.split("\n")) assert.ok(line.length <= 80, line);
  assert.match(table, /^ kvbench +35\.0 +– +– +250 +1\.0 GiB +2e-6$/m);
  assert.match(table, /^ onnxruntime-node +10\.0 +– +– +500 /m);
  assert.match(table, /^ onnxruntime-node +3\.00 ±1 +– +– +2\.00$/m);
  assert.match(table, /not a quiet\s+machine\.$/);
  assert.match(table, /^llama\.cpp Vulkan: not measured: It takes no adapter\.$/m);
});

Deno.test("The table has the adapter's best times, and names the native programs that are faster", () => {
  const own = { ...OWN, ready: { ...READY, runs_on: "llvmpipe" } };
  const rates = { gb_per_s: 22, gmacs_per_s: 39 };
  const best: PeerRecord = {
    ...{ peer: "adapter's best", storage: "f32", ready: own.ready },
    samples: Object.fromEntries(
      Object.entries({ decode_128: samples(30, 15, 15, 15), prefill_512: samples(512) }).map(([name, own]) =>
        [name, own.map((sample) => ({ ...sample, rates }))] as const
      ),
    ),
  };
  const table = peersTable({ ...RECORD, peers: [own, OTHER, FAILED, best] });
  for (const line of table.split("\n")) assert.ok(line.length <= 80, line);
  assert.match(table, /^ adapter's best +15\.0 +– +– +1000 +– +–$/m);
  assert.match(table, /^ adapter's best +2\.33 ±\S+ +– +– +4\.00$/m);
  const text = table.replaceAll("\n", " ");
  assert.match(text, /take on llvmpipe: .* at 22\.0 GB\/s and .* at 39\.0 G\/s/);
  assert.match(text, /beats all of its: onnxruntime-node in f32 \(dec\. 128\)\./);
  const slower = peersTable({ ...RECORD, peers: [own, { ...OTHER, samples: own.samples }, best] });
  assert.match(
    slower.replaceAll("\n", " "),
    /No native program has a round that is faster than all of these\./,
  );
});

Deno.test("docs/performance.md shows the table of docs/peers.json", { ignore: !permitted("read") }, () => {
  assert.equal(partOf(Deno.readTextFileSync(PAGE), PART).trim(), pagePart(peers as PeersRecord));
});
