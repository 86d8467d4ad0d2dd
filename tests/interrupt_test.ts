/**
 * A signal ends a bench in good time, whatever the GPU does: while this process waits for it, no JavaScript of the main
 * thread runs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type BenchResult, parseResult } from "../src/measure/record/result.ts";
import { ignore, inScratch, MOD, WEIGHTS } from "./cli_support.ts";

/** Two groups: a quick one, and one whose first submission keeps a software adapter busy for many seconds. */
const BUSY = [
  ...["bench", "--strategies", "no-cache", "--prompt-tokens", "300", "--batch", "8"],
  ...["--sweep", "new-tokens=1,200", "--runs", "1", "--warmup", "0", "--no-autotune"],
];
/** The promise is 2 s; the rest is for a machine that has other things to do. */
const WITHIN_MS = 4000;

async function read(path: string): Promise<BenchResult> {
  return parseResult(JSON.parse(await Deno.readTextFile(path)), path);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
  Deno.test(
    `${signal} ends a bench within seconds while the GPU is busy for longer, and the result is whole`,
    {
      ignore: ignore || Deno.build.os === "windows",
    },
    async () => {
      await inScratch(async (folder) => {
        const path = `${folder}/r.json`;
        const permissions = [`--allow-read=${WEIGHTS},${folder}`, `--allow-write=${folder}`];
        const child = new Deno.Command(Deno.execPath(), {
          args: ["run", "--no-prompt", "--cached-only", ...permissions, MOD, ...BUSY, "--json", path],
          env: { NO_COLOR: "1", XDG_RUNTIME_DIR: Deno.env.get("XDG_RUNTIME_DIR") ?? "/tmp" },
          stdin: "null",
          stdout: "null",
          stderr: "piped",
        }).spawn();
        const stderr = new Response(child.stderr).text();
        let ended = false;
        const status = child.status.finally(() => ended = true);
        while (!ended && !((await read(path).catch(() => undefined))?.cells.length)) await pause(50);
        await pause(1000); // the second group's first submission is under way
        const sent = performance.now();
        child.kill(signal);
        // A process that ignores the signal must not outlive the test.
        const giveUp = setTimeout(() => child.kill("SIGKILL"), 5 * WITHIN_MS);
        const { code: found } = await status;
        clearTimeout(giveUp);
        const took = performance.now() - sent;
        assert.equal(found, code, await stderr);
        assert.ok(took < WITHIN_MS, `It took ${took} ms`);
        assert.equal(
          (await stderr).replaceAll(/^Measuring .+\n/gm, ""), // where it took long
          `kvbench: Interrupted with 1 of 2 cells measured, in ${path}. ` +
            `Resume with: kvbench bench --resume ${path}\n`,
        );
        const { complete, cells } = await read(path);
        assert.deepEqual([complete, cells.length], [false, 1]);
      });
    },
  );
}

Deno.test("A second signal ends a bench at once while the GPU is busy", {
  ignore: ignore || Deno.build.os === "windows",
}, async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { watchInterrupts } from ${
        JSON.stringify(new URL("../src/cli/terminal/interrupt.ts", import.meta.url).href)
      };
      watchInterrupts().signal.addEventListener("abort", () => {
        console.log("first");
        for (;;); // as blocked as by a fence
      });
      setTimeout(() => console.log("ready"), 1000);`,
    ],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  for (const line of ["ready\n", "first\n"]) {
    assert.equal((await reader.read()).value, line);
    child.kill("SIGINT");
  }
  assert.equal((await child.status).code, 130);
});
