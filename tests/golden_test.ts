/**
 * Whole models against logits and greedy continuations that PyTorch computed in float64 from the same weights
 * (`golden/README.md`). Needs read permission for `tests/golden` and `weights`.
 */
import assert from "node:assert/strict";
import { checkGolden, hasGolden } from "../src/check/golden.ts";
import { PROMISED_TOLERANCE, SOFTWARE_TOLERANCE } from "../src/measure/quality/logit_tolerance.ts";
import { locateModel } from "../src/hub/locate.ts";
import { EMBEDDED_FILES } from "../src/hub/embedded.ts";
import { strategyNames } from "../src/kv/registry.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import {
  BROADCAST_TUNING,
  HARDWARE_TUNING,
  SOFTWARE_TUNING,
  SUBGROUP_TUNING,
  type Tuning,
} from "../src/model/tuning.ts";
import { DYNAMIC, NO_CACHE, paged, STATIC, type Variant, withDecoder } from "./decode_support.ts";
import { assertClose, assertRight, deviceRuns, gpuTest } from "./gpu_support.ts";
import { excerpt } from "./golden_excerpt.ts";
import { permitted } from "./permitted.ts";

const ALL_VARIANTS = [NO_CACHE, STATIC, DYNAMIC, paged(16)];

interface GoldenCase {
  readonly name: string;
  readonly ids: readonly number[];
  readonly logits_file: string;
  readonly rows: "all" | "last";
  readonly greedy_ids?: readonly number[];
}

interface Golden {
  readonly name: "tiny" | "random-small";
  /** What `--model` would take. */
  readonly model: string;
}

const TINY: Golden = { name: "tiny", model: "tiny" };
const RANDOM_SMALL: Golden = { name: "random-small", model: pathOf("random-small-checkpoint") };

function pathOf(name: string): string {
  return decodeURIComponent(new URL(`golden/${name}`, import.meta.url).pathname);
}

async function casesOf({ name }: Golden): Promise<GoldenCase[]> {
  return JSON.parse(await Deno.readTextFile(pathOf(`${name}/cases.json`)));
}

/**
 * Cases that can be decoded together: those of which the last row is stored and as many ids follow. Decoding them
 * together takes a third of the time, so that one variant does without and covers the path of a single sequence.
 */
function groupsOf(cases: readonly GoldenCase[], variant: Variant): GoldenCase[][] {
  if (variant === STATIC) return cases.map((item) => [item]);
  const groups = Map.groupBy(
    cases,
    ({ name, rows, greedy_ids }) => rows === "all" ? name : greedy_ids?.length,
  );
  return [...groups.values()];
}

/** Checks the logits of each prompt of a group, then the ids that follow them. */
async function check(
  model: Gpt2,
  golden: Golden,
  variant: Variant,
  group: readonly GoldenCase[],
): Promise<void> {
  const nSequences = group.length;
  const rows = group[0]?.rows === "all" ? group[0].ids.length : 1;
  const nNew = group[0]?.greedy_ids?.length ?? 0;
  const maxTokens = nNew + Math.max(...group.map(({ ids }) => ids.length));
  await withDecoder(
    model,
    { variant, nSequences, maxTokens, maxOutputs: rows * nSequences },
    async (decoder) => {
      const prompts = group.map(({ ids }) => ids);
      decoder.begin(prompts);
      const logits = await decoder.logits(rows);
      for (const [s, { name, logits_file }] of group.entries()) {
        const bytes = await Deno.readFile(pathOf(`${golden.name}/${logits_file}`));
        const own = logits.slice(s * rows, (s + 1) * rows);
        assertClose(own.flatMap((row) => [...row]), new Float32Array(bytes.buffer), {
          tolerance: model.gpu.facts.software ? SOFTWARE_TOLERANCE : PROMISED_TOLERANCE,
          name: `${golden.name}, ${name}, ${variant.name}`,
          width: model.config.vocabSize,
        });
      }
      decoder.begin(prompts);
      decoder.advance(nNew);
      const ids = await decoder.ids(prompts.map(({ length }) => length));
      for (const [s, { name, greedy_ids = [] }] of group.entries()) {
        assert.deepEqual(ids[s], greedy_ids, `${golden.name}, ${name}, ${variant.name}`);
      }
    },
  );
}

function goldenTest(
  golden: Golden,
  tuning: Tuning,
  { variants, only }: { variants: readonly Variant[]; only?: string },
): void {
  const named = `${tuning.name} tuning${tuning.broadcastRows ? " by broadcast" : ""}`;
  for (const variant of variants) {
    const title = `${only ? `case ${only} of ` : ""}${golden.name}: ${variant.name}, ${named}`;
    gpuTest(`Golden logits and greedy ids are reproduced (${title})`, async (gpu) => {
      const cases = (await casesOf(golden)).filter(({ name }) => only === undefined || name === only);
      assert.ok(cases.length > 0);
      const checkpoint = await locateModel(golden.model);
      try {
        const model = await Gpt2.load(gpu, checkpoint, { tuning });
        try {
          for (const group of groupsOf(cases, variant)) await check(model, golden, variant, group);
        } finally {
          model.dispose();
        }
      } finally {
        checkpoint.close();
      }
    }, { needs: ["read"], ignored: !runnable.has(tuning) });
  }
}

const runnable = new Set<Tuning>();
for (const tuning of [SOFTWARE_TUNING, BROADCAST_TUNING, HARDWARE_TUNING, SUBGROUP_TUNING]) {
  if (await deviceRuns(tuning)) runnable.add(tuning);
}

goldenTest(RANDOM_SMALL, SOFTWARE_TUNING, { variants: ALL_VARIANTS });
goldenTest(RANDOM_SMALL, BROADCAST_TUNING, { variants: [NO_CACHE, STATIC] });
goldenTest(RANDOM_SMALL, HARDWARE_TUNING, {
  variants: ALL_VARIANTS.filter((variant) => variant !== NO_CACHE),
});
goldenTest(RANDOM_SMALL, HARDWARE_TUNING, { variants: [NO_CACHE], only: "fifteen" });
goldenTest(RANDOM_SMALL, SUBGROUP_TUNING, { variants: [STATIC] });
// A long prompt is computed in one way whatever the strategy; the small model's cases have the rest.
goldenTest(TINY, SOFTWARE_TUNING, { variants: [STATIC, paged(16)] });
goldenTest(TINY, SOFTWARE_TUNING, { variants: [NO_CACHE, DYNAMIC], only: "once" });
goldenTest(TINY, HARDWARE_TUNING, { variants: [STATIC], only: "once" });

Deno.test("The golden prompts that come with the program are those of the folder, and the embedded model's", {
  ignore: !permitted("read"),
}, async () => {
  assert.equal(await Deno.readTextFile(pathOf("../../src/check/golden.json")), await excerpt());
  assert.ok(hasGolden(EMBEDDED_FILES["model.safetensors"].sha256));
});

gpuTest("checkGolden() finds the embedded model right with every strategy", async (gpu) => {
  const checkpoint = await locateModel("tiny");
  const model = await Gpt2.load(gpu, checkpoint);
  checkpoint.close();
  for (const strategy of strategyNames()) assertRight(...await checkGolden(model, strategy));
  model.dispose();
}, { needs: ["read"] });
