/**
 * The condition for timing a strategy that is not exact: its logits before each new token are those of its reference, which
 * computes the same in another way. Exact strategies are compared with each other instead.
 */
import { compare, isRight } from "../../base/comparison.ts";
import { KvbenchError } from "../../base/errors.ts";
import { Decoder } from "../../engine/decoder.ts";
import { referenceKv } from "../../engine/decoding_kv.ts";
import { type DecodingOptions, withDecoder } from "../../engine/with_decoder.ts";
import { decodingNeed, type NeedContext, NOTHING, together, type WorkNeed } from "../../engine/work_need.ts";
import { DEFAULT_DTYPE } from "../../formats/registry.ts";
import type { Model } from "../../model/model.ts";
import { logitTolerance } from "../quality/logit_tolerance.ts";

/** Prompts, and the ids that a strategy has chosen behind them. */
interface Decoded {
  /** One prompt per sequence. */
  readonly prompts: readonly (readonly number[])[];
  /** New tokens of each sequence, as many for each. */
  readonly ids: readonly (readonly number[])[];
}

/**
 * Decodes the same tokens with a strategy and with its reference, token by token, and compares all logits; does nothing for an
 * exact strategy.
 *
 * @throws {KvbenchError} If logits differ by more than rounding explains, or an id is not that of the largest one.
 */
export async function checkReference(
  model: Model,
  decoding: DecodingOptions,
  { prompts, ids }: Decoded,
): Promise<void> {
  const kv = referenceKv(model.config, decoding);
  if (kv === undefined) return;
  const tolerance = logitTolerance(model, decoding.kvDtype ?? DEFAULT_DTYPE);
  const refuse = (token: number, sequence: number, why: string) => {
    throw new KvbenchError(
      `${decoding.strategy} disagrees with its reference, ${kv.strategy.name}, so no time is reported: ` +
        `before new token ${token + 1} of sequence ${sequence}, ${why}`,
    );
  };
  await withDecoder(model, decoding, async (decoder) => {
    const reference = await Decoder.create(model, kv, decoding);
    try {
      for (const each of [decoder, reference]) each.begin(prompts);
      for (let token = 0; token < ids[0]!.length; token++) {
        if (token > 0) {
          const last = ids.map((own) => [own[token - 1]!]);
          for (const each of [decoder, reference]) each.append(last);
        }
        const all = await decoder.logits(), expected = await reference.logits();
        all.forEach((own, sequence) => {
          const compared = compare(own, expected[sequence]!, { what: "logits", tolerance });
          if (!isRight(compared)) {
            refuse(
              token,
              sequence,
              `logits are ${compared.largestError} apart: expected at most ${tolerance}`,
            );
          }
          const id = ids[sequence]![token]!, largest = own.reduce((a, b) => Math.max(a, b));
          if (largest - own[id]! <= 2 * tolerance) return; // it would be, but for rounding
          refuse(token, sequence, `it chose ${id}, whose logit is ${largest - own[id]!} below the largest`);
        });
      }
    } finally {
      reference.dispose();
    }
  });
}

/** Returns the memory that {@linkcode checkReference} needs beside the weights. */
export function referenceNeed(context: NeedContext, decoding: DecodingOptions): WorkNeed {
  const kv = referenceKv(context.config, decoding);
  if (kv === undefined) return NOTHING;
  return together(decodingNeed(context, decoding), decodingNeed(context, decoding, kv));
}
