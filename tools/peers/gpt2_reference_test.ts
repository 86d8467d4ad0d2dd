import assert from "node:assert/strict";
import cases from "../../tests/golden/random-small/cases.json" with { type: "json" };
import { locateModel } from "../../src/hub/locate.ts";
import { permitted } from "../../tests/permitted.ts";
import { referenceLogits } from "./gpt2_reference.ts";
import { checkOf } from "./record.ts";

const GOLDEN = new URL("../../tests/golden/", import.meta.url);

Deno.test(
  "The reference gives the logits that PyTorch computed in float64, and others without the last token",
  {
    ignore: !permitted("read"),
  },
  async () => {
    const model = await locateModel(decodeURIComponent(new URL("random-small-checkpoint", GOLDEN).pathname));
    try {
      for (const { ids, logits_file } of cases) {
        if (ids.length > 20) continue;
        const { buffer } = await Deno.readFile(new URL(`random-small/${logits_file}`, GOLDEN));
        const golden = new Float32Array(buffer).slice(-model.config.vocabSize);
        assert.ok(checkOf("logits", await referenceLogits(model, ids), golden, 1e-5).right, logits_file);
        const [one, two] = [ids, ids.with(-1, (ids.at(-1)! + 1) % model.config.vocabSize)];
        assert.notDeepEqual(one, two);
        assert.ok(
          checkOf("logits", await referenceLogits(model, two), golden, 1e-5).deviation > 0.1,
          logits_file,
        );
      }
    } finally {
      model.close();
    }
  },
);
