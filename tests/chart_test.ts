/**
 * The PNG chart, drawn with the native canvas in a process of its own with the least permissions, as a user would.
 *
 * @module
 */

import assert from "node:assert/strict";
import { drawAnswer } from "../src/report/answer_chart.ts";
import { chartPermissions } from "../src/report/canvas.ts";
import { drawCharts } from "../src/report/chart.ts";
import { fixtureResult } from "./fixtures/result.ts";
import { permitted } from "./permitted.ts";

const ignore = !permitted("read", "env", "ffi", "run");

const LEAST = [
  "--allow-ffi",
  ...(Deno.build.os === "linux" ? ["--allow-read=/usr/bin/ldd"] : []),
  "--allow-env=DISABLE_SYSTEM_FONTS_LOAD,NAPI_RS_FORCE_WASI,NAPI_RS_NATIVE_LIBRARY_PATH",
];

/** Runs a module's text in a new Deno process with exactly the permissions in `flags`, and gives its stdout. */
async function runWith(flags: readonly string[], source: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    // Neither deno.json nor a lock file, as when mod.ts is run over HTTP.
    args: ["run", "--no-prompt", "--no-check", "--no-config", "--no-lock", ...flags, "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(source));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

const chartUrl = import.meta.resolve("../src/report/chart.ts");
const canvasUrl = import.meta.resolve("../src/report/canvas.ts");
const fixtureUrl = import.meta.resolve("./fixtures/result.ts");

/** Dark pixels, RGB below 100, of a region of the PNG. */
async function darkPixels(
  png: Uint8Array,
  x: number,
  y: number,
  width: number,
  height: number,
): Promise<number> {
  const { createCanvas, loadImage } = await import("@napi-rs/canvas");
  const ctx = createCanvas(width, height).getContext("2d");
  ctx.drawImage(await loadImage(png), -x, -y);
  const { data } = ctx.getImageData(0, 0, width, height);
  let dark = 0;
  for (let i = 0; i < data.length; i += 4) if (Math.max(data[i]!, data[i + 1]!, data[i + 2]!) < 100) dark++;
  return dark;
}

Deno.test("drawCharts() gives a PNG of the asked size, with text that comes from the bundled font", {
  ignore,
}, async () => {
  const png = await drawCharts(fixtureResult(), { pixelRatio: 1 });
  assert.deepEqual([...png.subarray(1, 4)], [...new TextEncoder().encode("PNG")]);
  const header = new DataView(png.buffer, png.byteOffset);
  assert.deepEqual([header.getUint32(16), header.getUint32(20)], [1600, 1000]);

  const { GlobalFonts } = await import("@napi-rs/canvas");
  // Both the family's own name and ours: no font of the system is loaded, so a bare machine draws the same.
  assert.deepEqual(GlobalFonts.families.map(({ family }) => family).sort(), ["Inter", "Kvbench Inter"]);
  assert.ok(await darkPixels(png, 32, 28, 660, 30) > 1000, "no title");
  assert.ok(await darkPixels(png, 1400, 30, 170, 26) > 200, "no legend");
  assert.ok(await darkPixels(png, 32, 490, 850, 55) > 100, "no axis labels in panel (a)");
});

Deno.test("drawAnswer() draws each number in large letters above its chart", { ignore }, async () => {
  const sequences = {
    requests: 200,
    lengths: "sharegpt",
    budget_tokens: 4096,
    regions: { strategy: "kv-cache", mean: 4 },
    blocks: { strategy: "paged", mean: 13 },
  };
  const png = await drawAnswer({ ...fixtureResult(), sequences }, { pixelRatio: 1 });
  const header = new DataView(png.buffer, png.byteOffset);
  assert.deepEqual([header.getUint32(16), header.getUint32(20)], [1600, 480]);
  for (const x of [32, 556, 1080]) {
    assert.ok(await darkPixels(png, x, 25, 200, 40) > 400, `no number at ${x}`);
    assert.ok(await darkPixels(png, x, 150, 488, 40) > 200, `no title at ${x}`);
  }
});

Deno.test("drawCharts() draws the shortest run, the longest one, and a name without Latin letters", {
  ignore,
}, async () => {
  const foreign = fixtureResult({ strategies: ["no-cache"], software: false });
  foreign.model.name = "模型";
  for (
    const result of [
      fixtureResult({ grid: { new_tokens: [1] }, runs: 1 }),
      fixtureResult({ grid: { new_tokens: [900] } }),
      foreign,
    ]
  ) {
    assert.ok((await drawCharts(result, { pixelRatio: 1 })).length > 20_000);
  }
});

Deno.test(
  "drawCharts() shortens a long model path rather than write over the legend",
  { ignore },
  async () => {
    const [short, long] = [fixtureResult(), fixtureResult()];
    long.model.name = `/home/someone/${"checkpoints/".repeat(12)}gpt2`;
    const [a, b] = [await drawCharts(short, { pixelRatio: 1 }), await drawCharts(long, { pixelRatio: 1 })];
    assert.equal(await darkPixels(a, 1230, 20, 370, 40), await darkPixels(b, 1230, 20, 370, 40));
  },
);

Deno.test(
  "drawCharts() needs no permission but those that chartPermissions() names",
  { ignore },
  async () => {
    const source = `import { chartPermissions } from ${JSON.stringify(canvasUrl)};
    import { drawCharts } from ${JSON.stringify(chartUrl)};
    import { fixtureResult } from ${JSON.stringify(fixtureUrl)};
    const missing = chartPermissions();
    const png = await drawCharts(fixtureResult(), { pixelRatio: 1 });
    console.log(JSON.stringify([missing, png.length > 20_000]));`;
    assert.deepEqual(JSON.parse(await runWith(LEAST, source)), [[], true]);
  },
);

Deno.test(
  "Each of the permissions is needed, and drawCharts() names the one that is missing",
  { ignore },
  async () => {
    const source = `import { chartPermissions } from ${JSON.stringify(canvasUrl)};
    import { drawCharts } from ${JSON.stringify(chartUrl)};
    import { fixtureResult } from ${JSON.stringify(fixtureUrl)};
    const error = await drawCharts(fixtureResult()).catch((error) => error);
    console.log(JSON.stringify([chartPermissions(), error.name, error.message]));`;
    for (const flag of LEAST) {
      const others = LEAST.filter((other) => other !== flag);
      assert.deepEqual(JSON.parse(await runWith(others, source)), [
        [flag],
        "KvbenchError",
        `Cannot draw charts without ${flag}`,
      ]);
    }
    const [all] = JSON.parse(await runWith([], source));
    assert.deepEqual(all, LEAST);
  },
);

Deno.test("chartPermissions() is empty where everything is allowed", { ignore }, () => {
  assert.deepEqual(chartPermissions(), []);
});
