/** The operators: the only place that lists them. Their folders are in `wgsl/ops`. */
import { KvbenchError } from "../base/errors.ts";
import { ARGMAX, ARGMAX_JOIN } from "../../wgsl/ops/argmax/operator.ts";
import { ATTENTION_COMBINE, ATTENTION_DECODE, ATTENTION_PREFILL } from "../../wgsl/ops/attention/operator.ts";
import { EMBEDDING } from "../../wgsl/ops/embedding/operator.ts";
import { KEPT } from "../../wgsl/ops/kept/operator.ts";
import { KV_WRITE } from "../../wgsl/ops/kv_write/operator.ts";
import { LAYER_NORM } from "../../wgsl/ops/layer_norm/operator.ts";
import { LINEAR } from "../../wgsl/ops/linear/operator.ts";
import { ROTATE } from "../../wgsl/ops/rotate/operator.ts";
import { SAMPLE } from "../../wgsl/ops/sample/operator.ts";
import type { Operator } from "./operator.ts";

/** An operator, whatever it is compiled of. */
type AnyOperator = Pick<Operator, "name" | "files" | "checks">;

const all: AnyOperator[] = [
  EMBEDDING,
  LAYER_NORM,
  LINEAR,
  ROTATE,
  KV_WRITE,
  ATTENTION_COMBINE,
  ATTENTION_PREFILL,
  ATTENTION_DECODE,
  KEPT,
  ARGMAX,
  ARGMAX_JOIN,
  SAMPLE,
];

/** All operators, in the order in which they are checked; registering one adds to it. */
export const OPERATORS: readonly AnyOperator[] = all;

/**
 * Adds an operator, so that the self-check runs its trials.
 *
 * @throws {KvbenchError} If there is one of that name.
 */
export function registerOperator(operator: AnyOperator): void {
  if (all.some(({ name }) => name === operator.name)) {
    throw new KvbenchError(`Operator ${operator.name} is there: expected another name`);
  }
  all.push(operator);
}
