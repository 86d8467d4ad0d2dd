/**
 * A signal ends a bench in good time, whatever the GPU does: while this process waits for it, no JavaScript of the main
 * thread runs.
 */
import assert from "node:assert/strict";
import { ignore, inScratch, pause, resultAt, signalled } from "./cli_support.ts";

/** Two groups: a quick one, and one whose first submission keeps a software adapter busy for many seconds. */
const BUSY = [
  ...["bench", "--strategies", "no-cache", "--prompt-tokens", "100", "--batch", "8"],
  ...["--sweep", "new-tokens=1,200", "--runs", "1", "--warmup", "0", "--no-autotune"],
];
/** The promise is 2 s; the rest is for a machine that has other things to do. */
const WITHIN_MS = 4000;

for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
  Deno.test(
    `${signal} ends a bench within seconds while the GPU is busy for longer, and the result is whole`,
    {
      ignore: ignore || Deno.build.os === "windows",
    },
    async () => {
      await inScratch(async (folder) => {
        const path = `${folder}/r.json`;
        const isTime = async () => {
          if (!(await resultAt(path).catch(() => undefined))?.cells.length) return false;
          await pause(1000); // the second group's first submission is under way
          return true;
        };
        const { code: found, stderr, tookMs } = await signalled(
          signal,
          [...BUSY, "--json", path],
          path,
          isTime,
          5 * WITHIN_MS, // a process that ignores the signal must not outlive the test
        );
        assert.equal(found, code, stderr);
        assert.ok(tookMs < WITHIN_MS, `It took ${tookMs} ms`);
        assert.equal(
          stderr.replaceAll(/^Measuring .+\n/gm, ""), // where it took long
          `kvbench: Interrupted with 1 of 2 cells measured, in ${path}. ` +
            `Resume with: kvbench bench --resume ${path}\n`,
        );
        const { complete, cells } = await resultAt(path);
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
