/**
 * A report of one's own from result files of `bench`: the speed that a MiB of K/V memory buys, as CSV.
 *
 *     deno run -R examples/own_report.ts docs/bench.json [more.json …]
 *
 * @module
 */
import { type BenchResult, KvbenchError, parseResult } from "../mod.ts";

/** A row for each cell: tokens per second, MiB of K/V, and one divided by the other. */
function rowsOf({ model, cells }: BenchResult): (string | number)[][] {
  return cells.map(({ strategy, settings, tpot_ms, memory }) => {
    const perSecond = tpot_ms === null ? NaN : 1000 * settings.batch / tpot_ms.median;
    const mebibytes = memory.kv_reserved_bytes / 2 ** 20;
    return [
      model.name,
      strategy,
      settings.prompt_tokens,
      perSecond.toFixed(1),
      mebibytes.toFixed(3),
      (perSecond / mebibytes).toFixed(1),
    ];
  });
}

console.log("model,strategy,prompt_tokens,tokens_per_second,kv_mib,tokens_per_second_and_mib");
for (const path of Deno.args) {
  try {
    const result = parseResult(JSON.parse(await Deno.readTextFile(path)), path);
    for (const row of rowsOf(result)) console.log(row.join(","));
  } catch (error) {
    if (!(error instanceof KvbenchError)) throw error;
    console.error(error.message);
    Deno.exitCode = 1;
  }
}
