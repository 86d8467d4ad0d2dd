/**
 * Steps in a cell's latency by position, beside what its strategy and its kernels did at the same token: memory that was
 * created, room that was added, splits of attention.
 */
import type { Cell } from "../record/cell.ts";
import { findSteps, type Step } from "../statistics/steps.ts";

/** An event at a token that can explain a step there. */
export type StepCause =
  | { readonly kind: "created"; readonly buffers: number; readonly bytes: number }
  | { readonly kind: "reserved"; readonly bytes: number }
  | { readonly kind: "splits"; readonly from: number; readonly to: number };

/** A step, named. */
export interface LatencyStep extends Pick<Step, "kind"> {
  /** Tokens that the step's first token attends to. */
  readonly context: number;
  /** Change in ms. */
  readonly changeMs: number;
  /** Change as a share of the median gap. */
  readonly share: number;
  /** Events at that token which are not there at most tokens; none where the record has none. */
  readonly causes: readonly StepCause[];
}

/** Memory that the decode steps of a cell created. */
export interface Created {
  /** Steps that created any. */
  readonly tokens: number;
  /** Decode steps in all. */
  readonly of: number;
  /** Buffers and textures, and their bytes, of those steps: the mean. */
  readonly buffers: number;
  readonly bytes: number;
}

/** Share of the tokens from which on an event is nothing that stands out. */
const USUAL = 0.5;

/** Returns a cell's steps; undefined where its runs or tokens are too few to tell them from noise. */
export function latencySteps(cell: Cell): LatencyStep[] | undefined {
  if (cell.itl_ms === null) return undefined;
  const { runs, median } = cell.itl_ms, causes = causesOf(cell);
  return findSteps(runs)?.map(({ index, kind, change }) => ({
    kind,
    context: cell.settings.prompt_tokens + 1 + index,
    changeMs: change,
    share: change / median,
    causes: causes[index]!,
  }));
}

/** Returns the memory that decode steps created; undefined where the record does not tell, or there are none. */
export function createdOf({ memory: { timeline } }: Pick<Cell, "memory">): Created | undefined {
  const { created_buffers: all, created_bytes: allBytes } = timeline;
  if (all === null || allBytes === null || all.length < 2) return undefined;
  // The first token's step is the prefill.
  const buffers = all.slice(1), tokens = buffers.filter((count) => count > 0).length;
  const perToken = (counts: readonly number[]) =>
    tokens === 0 ? 0 : counts.slice(1).reduce((sum, count) => sum + count, 0) / tokens;
  return { tokens, of: buffers.length, buffers: perToken(all), bytes: perToken(allBytes) };
}

/** Lists the events before each token after the first, without those that most tokens have. */
function causesOf({ memory: { timeline } }: Cell): StepCause[][] {
  const { created_buffers: buffers, created_bytes: bytes, splits } = timeline;
  const reserved = timeline.kv_used_bytes.map((used, i) =>
    used + timeline.kv_for_later_bytes[i]! + timeline.kv_internal_bytes[i]!
  );
  const all = reserved.slice(1).map((now, i): StepCause[] => {
    const more = now - reserved[i]!, created = buffers?.[i + 1] ?? 0;
    const [from, to] = splits ? [splits[i]!, splits[i + 1]!] : [0, 0];
    return [
      ...(created > 0 ? [{ kind: "created" as const, buffers: created, bytes: bytes![i + 1]! }] : []),
      ...(more > 0 ? [{ kind: "reserved" as const, bytes: more }] : []),
      ...(from > 0 && to > 0 && from !== to ? [{ kind: "splits" as const, from, to }] : []),
    ];
  });
  const isUsual = ({ kind }: StepCause) =>
    all.filter((causes) => causes.some((each) => each.kind === kind)).length > USUAL * all.length;
  return all.map((causes) => causes.filter((each) => !isUsual(each)));
}
