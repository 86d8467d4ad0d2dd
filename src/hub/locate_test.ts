/** Tests of model names: the embedded model, folders, and the one-line answers to everything else. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { locateModel, MODEL_NAMES } from "./locate.ts";
import { permitted } from "../../tests/permitted.ts";

const ignore = !permitted("read", "write");

const SMALL = fileURLToPath(new URL("../../tests/golden/random-small-checkpoint", import.meta.url));

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test(
  "locateModel() opens tiny, and a folder with or without a slash at its end",
  { ignore },
  async () => {
    for (const [name, nLayer] of [["tiny", 6], [SMALL, 3], [`${SMALL}/`, 3]] as const) {
      const checkpoint = await locateModel(name);
      assert.equal(checkpoint.name, name);
      assert.equal(checkpoint.config.nLayer, nLayer);
      checkpoint.close();
    }
  },
);

Deno.test("locateModel() refuses names that can be no model's", async () => {
  for (const name of ["", "Tiny", "llama", "toString"]) {
    await assert.rejects(locateModel(name), {
      name: "UsageError",
      message: `Unknown model ${JSON.stringify(name)}: expected ${MODEL_NAMES}`,
    });
  }
  for (const name of ["../x", "a/b/c", "/etc", "a/../b", "a\\b", "./a/b"]) {
    await assert.rejects(locateModel(name), { name: "KvbenchError" });
  }
});

Deno.test("locateModel() names the folder or the file that is missing", { ignore }, async () => {
  await assert.rejects(locateModel("./no/such"), {
    name: "KvbenchError",
    message: "Cannot open model ./no/such: there is no such folder",
  });
  await withFolder(async (folder) => {
    await assert.rejects(locateModel(folder), {
      name: "KvbenchError",
      message: `Cannot read ${folder}/config.json: there is no such file`,
    });
    await Deno.copyFile(`${SMALL}/config.json`, `${folder}/config.json`);
    await assert.rejects(locateModel(folder), {
      name: "KvbenchError",
      message: `Cannot read ${folder}/model.safetensors: there is no such file`,
    });
    await assert.rejects(locateModel(`${folder}/config.json`), {
      name: "KvbenchError",
      message:
        `Cannot open model ${folder}/config.json: it is a file, expected a folder with config.json and weights`,
    });
  });
});

Deno.test("locateModel() names the tensor at which a file is cut off", { ignore }, async () => {
  await withFolder(async (folder) => {
    await Deno.copyFile(`${SMALL}/config.json`, `${folder}/config.json`);
    const weights = await Deno.readFile(`${SMALL}/model.safetensors`);
    await Deno.writeFile(`${folder}/model.safetensors`, weights.subarray(0, 600_000));
    await assert.rejects(locateModel(folder), {
      name: "KvbenchError",
      message:
        `Cannot use ${folder}/model.safetensors: tensor "h.1.mlp.c_fc.weight" ends at byte 700272 of 600000, ` +
        "the file is truncated",
    });
  });
});

Deno.test({
  name: "locateModel() names the flag where a folder may not be read",
  permissions: { read: false },
  fn: async () => {
    await assert.rejects(locateModel("./x"), {
      name: "KvbenchError",
      message: "Cannot read ./x: no permission, run with --allow-read",
    });
    await assert.rejects(locateModel("x"), { name: "UsageError" });
  },
});
