/** What loading costs on the host: one tensor at a time, whatever the model's size. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { tensorShapes } from "../src/checkpoint/tensors.ts";
import { type Gpt2Config, PRESETS } from "../src/checkpoint/config.ts";
import { SyntheticCheckpoint } from "../src/checkpoint/synthetic.ts";
import { ignore, inScratch, RANDOM_SMALL, runDeno } from "./cli_support.ts";

const MIB = 2 ** 20;
const LOAD = fileURLToPath(new URL("fixtures/load_memory.ts", import.meta.url));
/** As gpt2 with a third of its layers, so that the file is larger than what loading may take. */
const CONFIG: Gpt2Config = { ...PRESETS.gpt2, nLayer: 4 };

Deno.test("Loading takes at most 1.2 times the largest tensor and 64 MiB beside the GPU's buffers", {
  ignore: ignore || Deno.build.os !== "linux",
}, async () => {
  await inScratch(async (folder) => {
    const largest = 4 * CONFIG.vocabSize * CONFIG.nEmbd;
    for (const dtype of ["F32", "F16"] as const) {
      await writeModel(folder, dtype);
      // What the system tells of a process is a special file, which needs all permissions.
      const { code, stdout, stderr } = await runDeno(
        ["run", "--cached-only", "--allow-all", LOAD, RANDOM_SMALL, folder],
        {},
      );
      assert.equal(code, 0, stderr);
      const { hostBytes } = JSON.parse(stdout);
      const allowed = 1.2 * largest + 64 * MIB;
      assert.ok(hostBytes <= allowed, `${dtype}: ${hostBytes / MIB} MiB, allowed ${allowed / MIB}`);
    }
  });
});

/** Writes a model of seeded values, tensor by tensor. */
async function writeModel(folder: string, dtype: "F32" | "F16"): Promise<void> {
  const { nLayer, nHead, nEmbd, nCtx, vocabSize } = CONFIG;
  const keys = {
    model_type: "gpt2",
    n_layer: nLayer,
    n_head: nHead,
    n_embd: nEmbd,
    n_ctx: nCtx,
    vocab_size: vocabSize,
  };
  await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(keys));
  let end = 0;
  const header = Object.fromEntries([...tensorShapes(CONFIG)].map(([name, shape]) => {
    const bytes = shape.reduce((product, n) => product * n, dtype === "F32" ? 4 : 2);
    return [name, { dtype, shape, data_offsets: [end, end += bytes] }];
  }));
  const text = new TextEncoder().encode(JSON.stringify(header));
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(text.length), true);
  using file = await Deno.create(`${folder}/model.safetensors`);
  const write = async (bytes: Uint8Array) => {
    for (let offset = 0; offset < bytes.length;) offset += await file.write(bytes.subarray(offset));
  };
  await write(prefix);
  await write(text);
  const weights = new SyntheticCheckpoint("gpt2", CONFIG, 1);
  for (const name of tensorShapes(CONFIG).keys()) {
    const values = await weights.read(name);
    await write(new Uint8Array((dtype === "F32" ? values : new Float16Array(values)).buffer));
  }
}
