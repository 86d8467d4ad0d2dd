/**
 * Whether every policy gave every request the same greedy ids. Kernels for one row and for many, for a prompt and for
 * decoding, add in different orders, so that two logits which are equal but for rounding may change places: where ids
 * part, the logits are looked at, and only a tie is let pass.
 *
 * @module
 */
import { withDecoder } from "../engine/with_decoder.ts";
import { KvbenchError } from "../base/errors.ts";
import { type Dtype, formatOf } from "../formats/registry.ts";
import type { Gpt2 } from "../model/gpt2.ts";

/** How far two logits may be apart and still change places: twice what kernels differ from PyTorch by (README). */
const TIE = { software: 4e-4, hardware: 4e-3 };
/** For K and V in fewer bits, where a rounding to the other side moves a logit by more. */
const NARROW_TIE = 0.2;

/** Ids of one sequence, the prompt's first. */
interface Sequence {
  readonly request: number;
  readonly index: number;
  readonly ids: readonly number[];
}

/** What the check found. */
export interface IdsFound {
  /** Sequences whose ids were compared with the first policy's. */
  readonly compared: number;
  /** Of those, sequences that part at a tie. */
  readonly ties: number;
}

/** Compares policies with the first of them. */
export class IdsCheck {
  readonly #first = new Map<string, Uint32Array>();
  #isFirst = true;
  #compared = 0;
  #parted: { readonly sequence: Sequence; readonly expected: Uint32Array; readonly at: number }[] = [];

  /** Takes a sequence that has all its tokens. */
  add(sequence: Sequence): void {
    const key = `${sequence.request}/${sequence.index}`;
    if (this.#isFirst) return void this.#first.set(key, Uint32Array.from(sequence.ids));
    this.#compared++;
    const expected = this.#first.get(key);
    if (expected === undefined) return; // the first policy refused it
    const at = sequence.ids.findIndex((id, i) => expected[i] !== id);
    if (at >= 0) this.#parted.push({ sequence, expected, at });
  }

  /**
   * Ends a policy.
   *
   * @throws {KvbenchError} If ids part where there is no tie.
   */
  async finish(model: Gpt2, policy: string, kvDtype: Dtype): Promise<IdsFound> {
    const found = { compared: this.#compared, ties: this.#parted.length };
    const tie = !formatOf(kvDtype).exact
      ? NARROW_TIE
      : model.gpu.facts.software
      ? TIE.software
      : TIE.hardware;
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
    this.#isFirst = false;
    this.#compared = 0;
    this.#parted = [];
    return found;
  }
}

async function logitsAfter(model: Gpt2, ids: readonly number[], kvDtype: Dtype): Promise<Float32Array> {
  const tokens = ids.length;
  const options = {
    strategy: "kv-cache",
    growth: "static",
    blockSize: 1,
    kvDtype,
    nSequences: 1,
    maxPromptTokens: tokens,
    maxTokens: tokens,
    capacityTokens: tokens,
  } as const;
  const [logits] = await withDecoder(model, options, async (decoder) => {
    decoder.begin([ids]);
    return await decoder.logits();
  });
  return logits!;
}
