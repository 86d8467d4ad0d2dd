/**
 * The output of `generate`: finished continuations as text, ids or JSON. One continuation's text was shown as it came.
 */
import type { KvFootprint } from "../../../engine/kv_footprint.ts";
import type { Sampling } from "../../../model/sampling.ts";
import { formatBytes, formatPercent } from "../../../report/units.ts";
import { writeLine, writeText } from "../../terminal/stdout.ts";
import type { Many } from "./generate_many.ts";
import type { GenerateOptions } from "./generate_options.ts";

/** Finished continuations, and what several of them shared. */
export type Answer = Partial<Many> & Pick<Many, "sequences">;

interface Asked {
  /** Name of the model. */
  readonly model: string;
  readonly prompt: { readonly text: string | null; readonly ids: readonly number[] };
  readonly sampling: Sampling;
}

/** Prints continuations in the form that the options name. */
export function writeAnswer(answer: Answer, options: GenerateOptions, asked: Asked): void {
  const { sequences, scores, footprint } = answer;
  if (footprint) console.error(sayFootprint(footprint));
  if (options.output === "ids") {
    for (const { ids } of sequences) writeLine(ids.join(","));
  } else if (options.output === "json") {
    writeLine(JSON.stringify(recordOf(answer, options, asked), null, 2));
  } else if (footprint) {
    sequences.forEach(({ text }, i) => {
      const score = scores ? `, score ${scores[i]!.toFixed(4)}` : "";
      writeText(`--- ${i + 1} of ${sequences.length}${score} ---\n${text}\n`);
    });
  }
}

function recordOf({ sequences, scores, footprint }: Answer, options: GenerateOptions, asked: Asked): object {
  const { numBeams, lengthPenalty, earlyStopping } = options;
  const { temperature, topK, topP, seed } = asked.sampling;
  return {
    model: asked.model,
    strategy: options.strategy,
    prompt: asked.prompt.text,
    prompt_ids: asked.prompt.ids,
    ...(scores
      ? { beams: { num_beams: numBeams, length_penalty: lengthPenalty, early_stopping: earlyStopping } }
      : { sampling: { temperature, top_k: topK, top_p: topP, seed } }),
    sequences: sequences.map(({ ids, text, finishReason }, i) => ({
      ids,
      text,
      finish_reason: finishReason,
      ...(scores && { score: scores[i] }),
    })),
    ...(footprint && {
      kv_bytes: {
        held: footprint.heldBytes,
        without_sharing: footprint.unsharedBytes,
        copied: footprint.copiedBytes,
      },
    }),
  };
}

/** Formats the memory that sequences share. */
function sayFootprint({ heldBytes, unsharedBytes, copiedBytes }: KvFootprint): string {
  const saved = unsharedBytes > heldBytes
    ? `, ${formatBytes(unsharedBytes)} without sharing (${
      formatPercent(unsharedBytes - heldBytes, unsharedBytes)
    } saved)`
    : ", nothing shared";
  return `K/V: at most ${formatBytes(heldBytes)} held${saved}, ${formatBytes(copiedBytes)} copied`;
}
