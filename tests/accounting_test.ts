/**
 * The ledger against reality: on a software adapter GPU memory is process memory, so that the process grows by what the
 * ledger says, and by nothing however often it decodes.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { strategyNames } from "../src/kv/registry.ts";
import { ignore, runDeno } from "./cli_support.ts";
import { runs } from "./fuzz.ts";

const MIB = 2 ** 20;
const ACCOUNTING = fileURLToPath(new URL("fixtures/accounting.ts", import.meta.url));

/** What a process of its own measures. */
async function measured(...args: string[]): Promise<{ software: boolean; grown: number; ledger: number }> {
  const run = ["run", "--no-check", "--cached-only", "--allow-read", "--allow-env", ACCOUNTING, ...args];
  const { code, stdout, stderr } = await runDeno(run, {});
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

Deno.test("On a software adapter the process grows by what the ledger says, with every strategy", {
  ignore,
}, async () => {
  for (const strategy of strategyNames("bench")) {
    const { software, grown, ledger } = await measured(strategy);
    if (!software) return; // memory of hardware is not the process's
    assert.ok(ledger > 66 * MIB, `${ledger} bytes on the ledger`);
    assert.ok(
      Math.abs(grown - ledger) <= 0.1 * ledger + 32 * MIB,
      `${strategy}: the process has grown by ${grown / MIB} MiB, the ledger says ${ledger / MIB} MiB`,
    );
  }
});

Deno.test("A thousand generations leave the process as large as it was", { ignore }, async () => {
  for (const what of ["generations", "generations, paged"]) {
    const { grown } = await measured(what, `${runs(500)}`);
    assert.ok(grown < 16 * MIB, `${what}: grown by ${grown / MIB} MiB`);
  }
});
