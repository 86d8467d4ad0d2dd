/**
 * Profiles as Chrome trace events, which Perfetto and chrome://tracing open ("Trace Event Format", complete events).
 */
import type { Profile } from "../measure/profile/profile.ts";

/** One event of a trace; times in µs. */
export interface TraceEvent {
  readonly name: string;
  /** X: an event with a duration. M: the name of a process or a track. */
  readonly ph: "X" | "M";
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly args: Readonly<Record<string, string | number>>;
}

/** A trace as a file holds it. */
export interface Trace {
  readonly displayTimeUnit: "ms";
  readonly traceEvents: readonly TraceEvent[];
}

/**
 * Returns the dispatches of a profile: a track for the prefill and one for each decode step, each from time 0 on, so
 * that like steps stand below each other. The gaps between dispatches are the cost of timing them.
 *
 * @param name Title of all tracks.
 */
export function traceOf({ prefill, steps }: Pick<Profile, "prefill" | "steps">, name: string): Trace {
  const pid = 1;
  const tracks = [prefill, ...steps].flatMap((times, tid): TraceEvent[] => [
    {
      name: "thread_name",
      ph: "M",
      pid,
      tid,
      args: { name: tid === 0 ? "prefill" : `decode step ${tid}` },
    },
    { name: "thread_sort_index", ph: "M", pid, tid, args: { sort_index: tid } },
    ...times.map(({ label, kernel, workgroups, beginMs, ms }, dispatch): TraceEvent => ({
      name: label,
      ph: "X",
      pid,
      tid,
      ts: beginMs * 1000,
      dur: ms * 1000,
      args: { kernel, workgroups: workgroups.join(" × "), dispatch },
    })),
  ]);
  return {
    displayTimeUnit: "ms",
    traceEvents: [{ name: "process_name", ph: "M", pid, tid: 0, args: { name } }, ...tracks],
  };
}
