/** The terminal report of a self-test, with the facts that a bug report needs. */
import { sayKind } from "./adapter_kind.ts";
import type { SelfTest } from "../check/selftest_result.ts";
import { drawTable } from "./text_table.ts";
import { wrap } from "./wrap.ts";

/** Returns environment, table and verdict as text. */
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
  const table = drawTable(
    checks.map((
      { kernel, variant, largest_error, tolerance, verdict },
    ) => [kernel, variant, error(largest_error), error(tolerance), verdict]),
    { head: ["kernel", "variant", "largest error", "tolerance", "verdict"], align: "llrrl" },
  );
  const wrong = checks.filter(({ verdict }) => verdict !== "right");
  const lines = wrong.map(({ kernel, variant, verdict, detail }) =>
    `${kernel}${variant && ` (${variant})`} ${verdict === "failed" ? "failed" : "is wrong"}: ${detail}`
  );
  const last = wrong.length === 0
    ? `All ${checks.length} checks are right`
    : `${wrong.length} of ${checks.length} checks are not right`;
  return [...facts, table, ...lines, last].join("\n");
}

function featureLines({ features, offered_features = [] }: SelfTest["environment"]["adapter"]): string[] {
  const unused = offered_features.filter((name) => !features.includes(name));
  const others = unused.length === 0 ? "" : `; offered and not used: ${unused.join(", ")}`;
  return wrap(`Features: ${features.join(", ") || "none"}${others}`);
}

/** Formats an error or a tolerance with few digits. */
export function error(value: number | null): string {
  if (value === null) return "";
  return value === 0 ? "0" : Number.isInteger(value) ? `${value}` : value.toExponential(1);
}
