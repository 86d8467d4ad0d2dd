/**
 * The table of a self-test, with what a bug report needs.
 *
 * @module
 */
import { sayKind } from "./adapter_kind.ts";
import Table from "npm:cli-table3@0.6.5";
import type { SelfTest } from "../check/selftest_result.ts";
import { wrap } from "./wrap.ts";

/** Environment, table and verdict, as text. */
export function selfTestTable({ environment, checks }: SelfTest): string {
  const { adapter, tuning } = environment;
  const ids = [adapter.vendor, adapter.architecture, adapter.device].filter(Boolean).join(" / ");
  const facts = [
    `kvbench ${environment.kvbench}, commit ${environment.git_commit ?? "unknown"}`,
    `Deno ${environment.deno}, ${environment.os} ${environment.arch}, ${
      environment.cpu.model ?? "CPU unknown"
    }`,
    `WebGPU ${environment.webgpu === "dawn" ? "by Dawn" : "of Deno"}: ${adapter.description}${
      ids && ` (${ids})`
    }, ${sayKind(adapter, "hardware")}`,
    ...featureLines(adapter),
    `Kernels ${environment.kernels_sha256.slice(0, 16)}, ${tuning["name"]} tuning first`,
  ];
  const table = new Table({
    head: ["kernel", "variant", "largest error", "tolerance", "verdict"],
    colAligns: ["left", "left", "right", "right", "left"],
    style: { head: [], border: [] },
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  });
  for (const { kernel, variant, largest_error, tolerance, verdict } of checks) {
    table.push([kernel, variant, error(largest_error), error(tolerance), verdict]);
  }
  const wrong = checks.filter(({ verdict }) => verdict !== "right");
  const lines = wrong.map(({ kernel, variant, verdict, detail }) =>
    `${kernel}${variant && ` (${variant})`} ${verdict === "failed" ? "failed" : "is wrong"}: ${detail}`
  );
  const last = wrong.length === 0
    ? `All ${checks.length} checks are right`
    : `${wrong.length} of ${checks.length} checks are not right`;
  return [...facts, table.toString(), ...lines, last].join("\n");
}

function featureLines({ features, offered_features = [] }: SelfTest["environment"]["adapter"]): string[] {
  const unused = offered_features.filter((name) => !features.includes(name));
  const others = unused.length === 0 ? "" : `; there and not used: ${unused.join(", ")}`;
  return wrap(`Features: ${features.join(", ") || "none"}${others}`);
}

/** An error or a tolerance in few digits. */
export function error(value: number | null): string {
  if (value === null) return "";
  return value === 0 ? "0" : Number.isInteger(value) ? `${value}` : value.toExponential(1);
}
