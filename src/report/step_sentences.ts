/** Steps in latency by position, and the memory that tokens create, in words. */
import {
  type Created,
  createdOf,
  type LatencyStep,
  latencySteps,
  type StepCause,
} from "../measure/findings/latency_steps.ts";
import type { Cell } from "../measure/record/cell.ts";
import { LEAST_RUNS } from "../measure/statistics/steps.ts";
import { inEnglish, type Say } from "./lang.ts";
import { formatBytes, formatMs, formatPercent, formatSignificant } from "./units.ts";

/** Most steps of a cell that are said. */
const MOST = 3;

/** Says the steps of cells, and what their tokens create. */
export function stepSentences(
  cells: readonly Cell[],
  name: (cell: Cell) => string,
  t: Say = inEnglish,
): string[] {
  const all = cells.filter(({ itl_ms }) => itl_ms !== null)
    .map((cell) => ({ said: name(cell), steps: latencySteps(cell), created: createdOf(cell) }));
  const none = all.flatMap(({ said, steps }) => steps?.length === 0 ? [said] : []);
  const created = all.flatMap((each) => each.created ? [`${each.said} ${sayCreated(each.created, t)}`] : []);
  return [
    ...all.flatMap(({ said, steps }) => steps === undefined ? [] : saySteps(said, steps, t)),
    ...(none.length === 0
      ? []
      : [t`No step in latency by position stands out from the runs' noise: ${none.join(t`; `)}.`]),
    ...(all.some(({ steps }) => steps === undefined)
      ? [
        t`Steps in latency by position can't be told from noise with fewer than ${LEAST_RUNS} runs or a
          dozen tokens.`,
      ]
      : []),
    ...(all.length > 0 && all.every(({ created }) => created?.tokens === 0)
      ? [t`No token after the first creates memory on the GPU.`]
      : created.length === 0
      ? []
      : [t`Created on the GPU per token after the first: ${created.join(t`; `)}.`]),
  ];
}

function saySteps(name: string, steps: readonly LatencyStep[], t: Say): string[] {
  const largest = steps.toSorted((a, b) => Math.abs(b.changeMs) - Math.abs(a.changeMs)).slice(0, MOST);
  const said = steps.filter((step) => largest.includes(step)).map((step) => sayStep(step, t));
  if (said.length === 0) return [];
  const rest = steps.length - said.length;
  const more = rest === 0 ? "" : t`; ${rest} smaller ones`;
  return [t`Steps in latency by position of ${name}: ${said.join(t`; `)}${more}.`];
}

function sayStep({ kind, context, changeMs, share, causes }: LatencyStep, t: Say): string {
  const change = `${changeMs < 0 ? "−" : "+"}${formatMs(Math.abs(changeMs))}`;
  const size = t`${change} (${formatPercent(Math.abs(share), 1)})`;
  const cause = sayCauses(causes, t);
  return kind === "single"
    ? t`${size} for the token at context ${context}, ${cause}`
    : t`${size} per token from context ${context} on, ${cause}`;
}

function sayCauses(causes: readonly StepCause[], t: Say = inEnglish): string {
  if (causes.length === 0) return t`where nothing was created, added or split`;
  return t`where ${causes.map((cause) => sayCause(cause, t)).join(t` and `)}`;
}

function sayCause(cause: StepCause, t: Say): string {
  switch (cause.kind) {
    case "created":
      return t`${cause.buffers} buffers of ${formatBytes(cause.bytes)} were created`;
    case "reserved":
      return t`room for K/V of ${formatBytes(cause.bytes)} was added`;
    case "splits":
      return t`attention went from ${cause.from} to ${cause.to} splits`;
  }
}

/** Says what tokens created, such as "12 buffers of 3.1 MiB at each". */
export function sayCreated({ tokens, of, buffers, bytes }: Created, t: Say = inEnglish): string {
  if (tokens === 0) return t`nothing`;
  const each = t`${formatSignificant(buffers)} buffers of ${formatBytes(bytes)}`;
  return tokens === of ? t`${each} at each` : t`${each} at ${tokens} of ${of}`;
}
