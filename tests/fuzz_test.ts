/**
 * Whatever is put in, one clear line comes out: random command lines, configurations and result files. Safetensors
 * files, the scheduler, the block manager and the server have random tests beside theirs.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { parseSelfTest } from "../src/check/selftest_result.ts";
import { KvbenchError } from "../src/base/errors.ts";
import { parseProfile } from "../src/measure/profile/profile_result.ts";
import { parseResult } from "../src/measure/record/result.ts";
import { type Gpt2Config, parameterCount, parseConfig } from "../src/checkpoint/config.ts";
import { ignore, inScratch, runDeno } from "./cli_support.ts";
import { AWKWARD } from "./fixtures/checkpoint.ts";
import { fixtureResult } from "./fixtures/result.ts";
import { runs } from "./fuzz.ts";

/** Checks that `read` returns or throws one line. */
function oneLineOrNone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof KvbenchError, String(error));
    assert.ok(error.message.length > 0 && !error.message.includes("\n"), error.message);
    return undefined;
  }
}

/** Values that are hard on whoever reads them. */
const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(-1, 0, 0.5, 2 ** 31, 2 ** 53, 1e308, -0, "", "__proto__", "1", [], {}, null, true),
);

Deno.test("parseConfig() takes no configuration that it can't stand for", () => {
  const keys = ["n_layer", "n_head", "n_embd", "n_inner", "n_ctx", "n_positions", "vocab_size", "model_type"];
  const more = [
    "activation_function",
    "layer_norm_epsilon",
    "bos_token_id",
    "eos_token_id",
    "scale_attn_weights",
  ];
  const base = { model_type: "gpt2", bos_token_id: 0, eos_token_id: 0, ...AWKWARD };
  const change = fc.dictionary(fc.constantFrom(...keys, ...more), odd, { maxKeys: 4 });
  fc.assert(
    fc.property(fc.oneof(odd, change.map((changes) => ({ ...base, ...changes }))), (json) => {
      const config: Gpt2Config | undefined = oneLineOrNone(() => parseConfig(json, "config.json"));
      if (config === undefined) return;
      const { nLayer, nHead, nEmbd, headDim, nInner, nCtx, vocabSize, layerNormEpsilon } = config;
      for (const size of [nLayer, nHead, nEmbd, headDim, nInner, nCtx, vocabSize]) {
        assert.ok(Number.isSafeInteger(size) && size > 0, JSON.stringify(config));
      }
      assert.equal(nHead * headDim, nEmbd);
      assert.ok(layerNormEpsilon > 0 && Number.isFinite(parameterCount(config)));
    }),
    { numRuns: runs(1000), seed: 1 },
  );
});

/** Replaces what lies at a random place of a record. */
function changed(json: unknown, steps: readonly number[], value: unknown): unknown {
  if (typeof json !== "object" || json === null || steps.length === 0) return value;
  const keys = Object.keys(json);
  if (keys.length === 0) return value;
  const [step = 0, ...rest] = steps;
  const key = keys[step % keys.length]!;
  const inner = changed((json as Record<string, unknown>)[key], rest, value);
  return Array.isArray(json) ? json.with(Number(key), inner) : { ...json, [key]: inner };
}

Deno.test("Readers of result files say in one line what is wrong, wherever it is", () => {
  const valid = JSON.parse(JSON.stringify(fixtureResult()));
  assert.ok(oneLineOrNone(() => parseResult(valid, "r.json")));
  const input = fc.tuple(fc.array(fc.nat(40), { minLength: 1, maxLength: 6 }), odd);
  fc.assert(
    fc.property(input, ([steps, value]) => {
      const json = changed(valid, steps, value);
      for (const read of [parseResult, parseProfile, parseSelfTest]) {
        oneLineOrNone(() => read(json, "r.json"));
      }
      oneLineOrNone(() => parseResult(value, "r.json"));
    }),
    { numRuns: runs(500), seed: 2 },
  );
});

Deno.test(
  "Any command line ends with code 1 or 2 and one line, and never with a defect",
  { ignore },
  async () => {
    await inScratch(async (folder) => {
      const program = fileURLToPath(new URL("random_commands.ts", import.meta.url));
      const flags = ["--allow-env", "--allow-read", `--allow-write=${folder}`];
      const { code, stderr } = await runDeno(["run", "--no-prompt", "--cached-only", ...flags, program], {
        cwd: folder,
      });
      assert.equal(code, 0, stderr);
    });
  },
);
