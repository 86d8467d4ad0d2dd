import assert from "node:assert/strict";
import { compileProgress } from "./compile_progress.ts";
import type { ProgressBar } from "./progress.ts";

/** Compiles kernels that take so long; returns what is shown. */
function shown(
  kernels: Readonly<Record<string, number>>,
  { terminal }: { readonly terminal: boolean },
): string[] {
  const said: string[] = [];
  let ms = 0;
  const bar: ProgressBar = {
    start: (what, total, unit, done) => said.push(`start ${what}: ${done} of ${total} ${unit}`),
    update: (done, what) => said.push(`${done} ${what}`),
    say: (line) => said.push(line),
    stop: () => said.push("stop"),
  };
  const progress = compileProgress(3, { bar, terminal, now: () => ms });
  for (const [label, takes] of Object.entries(kernels)) {
    const compiled = progress.kernel({ label });
    ms += takes;
    compiled();
    ms += 5000; // work that is no compiling
  }
  progress.stop();
  return said;
}

Deno.test("compileProgress() shows on a terminal what is compiled, once that has taken a while", () => {
  assert.deepEqual(shown({ norm: 400, qkv: 200, fc: 900, head: 10 }, { terminal: true }), [
    "start Compiling kernels: 2 of 3 kernels",
    "2 compiling fc",
    "3 compiling head",
    "stop",
  ]);
  assert.deepEqual(shown({ norm: 10, qkv: 20 }, { terminal: true }), ["stop"]);
});

Deno.test("compileProgress() has a line elsewhere for every kernel that takes over a second, the last one too", () => {
  const lines = shown({ norm: 1200, qkv: 200, fc: 900, head: 3000 }, { terminal: false })
    .filter((line) => line.startsWith("The driver"));
  assert.deepEqual(lines, [
    "The driver compiled norm in 1200 ms (kernel 1 of about 3)",
    "The driver compiled head in 3000 ms (kernel 4 of about 4)",
  ]);
});
