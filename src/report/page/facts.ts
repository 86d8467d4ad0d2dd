/** Facts about a measurement on the report page: where, with what and how it was made. */
import { BACKEND_TITLES } from "../../gpu/backend.ts";
import type { Environment } from "../../measure/record/environment_schema.ts";
import type { BenchResult } from "../../measure/record/result.ts";
import { sayKind } from "../adapter_kind.ts";
import type { Say } from "../lang.ts";
import { type Html, html, type Part } from "./html.ts";

/** Says the adapter, and the versions that ran on it. */
export function describe({ adapter, kvbench, deno }: Environment, t: Say): string {
  const kind = sayKind(adapter, t`a hardware adapter`, t`a software adapter`);
  return t`${
    adapter.description || adapter.vendor || t`an unnamed adapter`
  } (${kind}), kvbench ${kvbench}, Deno ${deno}`;
}

/** Says the type and the origin of weights. */
export function weightsOf(
  { model: { weights, weights_dtype } }: Pick<BenchResult, "model">,
  t: Say,
): string {
  const origin = weights.source === "checkpoint"
    ? `SHA-256 ${weights.sha256}`
    : t`synthetic, seed ${weights.seed}`;
  return t`${weights_dtype}, ${origin}`;
}

/** Makes the table of where and how something was measured. */
export function facts(
  environment: Environment,
  command: readonly string[],
  more: readonly (readonly [string, string])[],
  t: Say,
): Html {
  const { adapter, cpu, load_average: load, fence } = environment, unknown = t`unknown`;
  const rows: (readonly [string, Part])[] = [
    [t`command`, html`<code>kvbench ${command.map(quoted).join(" ")}</code>`],
    [t`adapter`, adapter.description],
    [t`backend`, BACKEND_TITLES[adapter.backend]],
    [t`features`, adapter.features.join(", ") || t`none`],
    ["CPU", t`${cpu.model ?? unknown}, ${cpu.cores} cores`],
    [t`load`, load === null ? unknown : load.join(", ")],
    [t`system`, `${environment.os} ${environment.os_release ?? ""} ${environment.arch}`],
    ["kvbench", t`${environment.kvbench}, commit ${environment.git_commit ?? unknown}`],
    ["Deno", `${environment.deno}, V8 ${environment.v8}`],
    [t`kernels`, `SHA-256 ${environment.kernels_sha256}`],
    [t`kernel variants`, JSON.stringify(environment.tuning)],
    [t`fence`, t`${fence.cost_us} µs, readback ${fence.readback_ms} ms`],
    ...more,
  ];
  return html`
    <details>
      <summary>${t`Where and how it was measured`}</summary>
      <table class="facts">
        <tbody>${rows.map(([name, value]) =>
          html`
            <tr>
              <th scope="row">${name}</th>
              <td>${value}</td>
            </tr>\\n
          `
        )}</tbody>
      </table>
    </details>
  `;
}

/** Quotes an argument for a POSIX shell. */
function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
