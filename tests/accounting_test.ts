/**
 * The ledger against reality: on a software adapter GPU memory is process memory, so that the process grows by what the
 * ledger says, and by nothing however often it decodes.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { strategyNames } from "../src/kv/registry.ts";
import { ignore, runDeno } from "./cli_support.ts";
import { runs } from "./fuzz.ts";
import { permitted } from "./permitted.ts";

const MIB = 2 ** 20;
const ACCOUNTING = fileURLToPath(new URL("fixtures/accounting.ts", import.meta.url));
const left = ignore || !permitted("ffi");

/** What a process of its own measures. */
async function measured(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ software: boolean; grown: number; ledger: number }> {
  const flags = ["--no-check", "--cached-only", "--allow-read", "--allow-env", "--allow-ffi"];
  const { code, stdout, stderr } = await runDeno(["run", ...flags, ACCOUNTING, ...args], { env });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/**
 * Whether the process has grown by what the ledger says. Besides, a model takes 11 to 21 MiB: kernels as the driver
 * keeps them, the runtime's heap, and what memory is rounded up to.
 */
function agrees({ grown, ledger }: { readonly grown: number; readonly ledger: number }): boolean {
  return grown > ledger - 8 * MIB && grown < ledger + 32 * MIB;
}

Deno.test("On a software adapter the process grows by what the ledger says, with every strategy", {
  ignore: left,
}, async () => {
  for (const strategy of strategyNames("bench")) {
    const found = await measured([strategy]);
    if (!found.software) return; // memory of hardware is not the process's
    const { grown, ledger } = found;
    assert.ok(ledger > 66 * MIB, `${ledger} bytes on the ledger`);
    assert.ok(
      agrees(found),
      `${strategy}: the process has grown by ${grown / MIB} MiB, the ledger says ${ledger / MIB} MiB`,
    );
  }
});

Deno.test("The process grows by the same where every kernel is compiled anew", { ignore: left }, async () => {
  // Nothing is remembered, neither in a folder nor in the process: compilers run before and while it is measured.
  const found = await measured(["kv-cache"], { MESA_SHADER_CACHE_DISABLE: "true" });
  const { software, grown, ledger } = found;
  assert.ok(!software || agrees(found), `grown by ${grown / MIB} MiB, the ledger says ${ledger / MIB} MiB`);
});

Deno.test("24 MiB that are not on the ledger are found", { ignore: left }, async () => {
  const found = await measured(["kv-cache", `${24 * MIB}`]);
  const { software, grown, ledger } = found;
  assert.ok(!software || !agrees(found), `grown by ${grown / MIB} MiB, the ledger says ${ledger / MIB} MiB`);
});

Deno.test("A thousand generations leave the process as large as it was", { ignore: left }, async () => {
  for (const what of ["generations", "generations, paged"]) {
    const { grown } = await measured([what, `${runs(500)}`]);
    assert.ok(grown < 16 * MIB, `${what}: grown by ${grown / MIB} MiB`);
  }
});
