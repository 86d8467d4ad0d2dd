/** `generate`'s options besides those that decoding shares. */
import { EARLY_STOPPING } from "../../../engine/beams.ts";
import { MOST_TEMPERATURE } from "../../../model/sampling.ts";
import type { DecodeOptions } from "../../options/decode_options.ts";
import { inGroup, optionList, type Values } from "../../options/option_spec.ts";
import { NUM_RETURN_SEQUENCES } from "../../options/serving_options.ts";
import { decimal, MOST_TOKENS, positive, repeated, wholeNumber } from "../../options/values.ts";

/** Length, sampling, beam search and output. */
export const GENERATE_OPTIONS = optionList(
  {
    flags: "--max-new-tokens <n>",
    help: "Most tokens to generate",
    group: "Workload",
    parse: wholeNumber(1, MOST_TOKENS),
    default: 50,
  },
  ...inGroup(
    "Sampling",
    {
      flags: "--temperature <t>",
      help: "Divisor of logits; 0 takes the likeliest token",
      parse: decimal(0, MOST_TEMPERATURE),
      defaultText: "1 with --top-k, --top-p, --seed or several sequences, else 0",
    },
    {
      flags: "--top-k <k>",
      help: "Sample among the k likeliest tokens; 0 means all",
      parse: wholeNumber(0, 2 ** 31),
      default: 0,
    },
    {
      flags: "--top-p <p>",
      help: "Sample among the fewest tokens whose probabilities sum to p",
      parse: positive(1),
      default: 1,
    },
    {
      flags: "--seed <n>",
      help: "Seed of the random numbers",
      parse: wholeNumber(0, 2 ** 32 - 1),
      defaultText: "0",
    },
    { ...NUM_RETURN_SEQUENCES, help: "Continuations of the prompt; seeds count up" },
  ),
  ...inGroup(
    "Beam search",
    {
      flags: "--num-beams <n>",
      help: "Beams of a beam search; 1 means none",
      parse: wholeNumber(1, 64),
      default: 1,
    },
    {
      flags: "--length-penalty <x>",
      help: "Exponent of the length in a beam's score; above 0 favours longer texts",
      parse: decimal(-10, 10),
      default: 1,
    },
    {
      flags: "--early-stopping <when>",
      help:
        "End of the search, once enough beams are finished: at once, when no open beam would be better if " +
        "it ended now, or when none can become better",
      choices: EARLY_STOPPING,
      default: "false",
    },
  ),
  {
    flags: "--stop <text>",
    help: "Text to end before (repeatable)",
    group: "Workload",
    parse: repeated,
    default: [],
  },
  {
    flags: "--timings",
    help: "Print the parts of the time to the first token on stderr",
    group: "Output",
    default: false,
  },
  { flags: "--ignore-eos", help: "Go on after the end-of-text token", group: "Workload", default: false },
  {
    flags: "--output <form>",
    help: "Printed form",
    group: "Output",
    choices: ["text", "ids", "json"],
    default: "text",
  },
);

/** Values of {@link GENERATE_OPTIONS} and of the options that decoding shares. */
export type GenerateOptions = DecodeOptions & Values<typeof GENERATE_OPTIONS>;
