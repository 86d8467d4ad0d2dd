/**
 * The check that every policy gives every request the same greedy ids. Kernels for one row and for many, for a prompt
 * and for decoding, add in different orders, so that two logits which are equal but for rounding may change places:
 * where ids differ, the logits are compared, and only a tie passes.
 */
import { logitDecoding } from "../engine/all_logits.ts";
import { withDecoder } from "../engine/with_decoder.ts";
import { KvbenchError } from "../base/errors.ts";
import type { Dtype } from "../formats/registry.ts";
import { logitTolerance } from "../measure/quality/logit_tolerance.ts";
import type { Model } from "../model/model.ts";

/** Ids of one sequence, prompt included. */
interface Sequence {
  readonly request: number;
  readonly index: number;
  readonly ids: readonly number[];
}

/** The findings on one policy. */
interface IdsFound {
  /** Sequences whose ids were compared with the first exact policy's. */
  readonly compared: number;
  /** Sequences among them that differ at a tie. */
  readonly ties: number;
}

/** Compares each policy with the first one. */
export class IdsCheck {
  readonly #first = new Map<string, Uint32Array>();
  /** True before the end of the first policy, with which the others are compared. */
  isFirst = true;
  #compared = 0;
  #parted: { readonly sequence: Sequence; readonly expected: Uint32Array; readonly at: number }[] = [];

  /** Adds a finished sequence. */
  add(sequence: Sequence): void {
    const key = `${sequence.request}/${sequence.index}`;
    if (this.isFirst) return void this.#first.set(key, Uint32Array.from(sequence.ids));
    this.#compared++;
    const expected = this.#first.get(key);
    if (expected === undefined) return; // the first policy refused it
    const at = sequence.ids.findIndex((id, i) => expected[i] !== id);
    if (at >= 0) this.#parted.push({ sequence, expected, at });
  }

  /**
   * Ends a policy, and returns the findings on it.
   *
   * @throws {KvbenchError} If ids differ where there is no tie.
   */
  async finish(model: Model, policy: string, kvDtype: Dtype): Promise<IdsFound> {
    const found = { compared: this.#compared, ties: this.#parted.length };
    const tie = 2 * logitTolerance(model, kvDtype); // either logit may be off
    for (const { sequence, expected, at } of this.#parted) {
      const mine = sequence.ids[at]!, theirs = expected[at]!;
      const logits = await logitsAfter(model, sequence.ids.slice(0, at), kvDtype);
      const gap = Math.abs(logits[mine]! - logits[theirs]!);
      if (gap <= tie) continue;
      throw new KvbenchError(
        `The policies disagree, so no time is reported: at token ${at} of request ${sequence.request}, ${policy} ` +
          `chose ${mine} and the first policy ${theirs}, whose logits are ${gap} apart`,
      );
    }
    this.isFirst = false;
    this.#compared = 0;
    this.#parted = [];
    return found;
  }
}

async function logitsAfter(model: Model, ids: readonly number[], kvDtype: Dtype): Promise<Float32Array> {
  const options = { ...logitDecoding(kvDtype, ids.length, ids.length), maxOutputs: 1 };
  const [logits] = await withDecoder(model, options, async (decoder) => {
    decoder.begin([ids]);
    return await decoder.logits();
  });
  return logits!;
}
