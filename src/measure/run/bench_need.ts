/**
 * The GPU memory that measuring a plan needs besides the weights, computed before anything is allocated.
 */
import {
  decodingNeed,
  inTurn,
  type NeedContext,
  together,
  withOther,
  type WorkNeed,
} from "../../engine/work_need.ts";
import { groupsOf } from "./grid.ts";
import { decodingOf } from "./group.ts";
import { referenceNeed } from "./reference_check.ts";
import type { Plan } from "./plan.ts";
import { YARDSTICK_BYTES } from "./yardstick.ts";

/** Bytes of the yardstick, and a bound on the queries, readbacks and probes of a run. */
export const MEASURING_BYTES: number = YARDSTICK_BYTES + (64 << 10);

/** Returns the need of a plan: of its largest group, which keeps the decoders of all its cells. */
export function benchNeed(context: NeedContext, plan: Plan): WorkNeed {
  const groups = groupsOf(plan).map((cells) =>
    inTurn(
      ...cells.map((cell) => referenceNeed(context, decodingOf(cell))),
      withOther(together(...cells.map((cell) => decodingNeed(context, decodingOf(cell)))), {
        gpu: MEASURING_BYTES,
      }),
    )
  );
  return inTurn(...groups);
}
