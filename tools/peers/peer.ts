/**
 * A peer: a program that runs GPT-2, as a child process of its own. This is what one offers, and the messages that its
 * process takes and gives, one line of JSON each.
 */
import type { Gpt2Config } from "../../src/checkpoint/config.ts";

/** Storage types of weights that are compared. */
export const STORAGES = ["f32", "f16", "int8"] as const;
/** A storage type; 8 bits have a scale for each block of 32, or as kvbench has them. */
export type Storage = typeof STORAGES[number];

/** The job of a child. */
export interface Job {
  readonly config: Gpt2Config;
  readonly seed: number;
  readonly storage: Storage;
  /** Path of the weights, without the ends `.gguf`, `.onnx` and `.bin`. */
  readonly weights: string;
  /** Processor, where a peer has builds for several. Default: the CPU. */
  readonly device?: "vulkan";
  /** kvbench's storage type of the weights. Default: `storage`. */
  readonly weightsDtype?: string;
}

/** Facts about a peer that is ready. */
export interface Ready {
  /** Version of the package. */
  readonly version: string;
  /** The processor that computes, as the peer says itself. */
  readonly runs_on: string;
  /** Storage type of K and V, by its own name; null where it keeps none. */
  readonly kv: string | null;
}

/** A model that a peer has loaded. */
export interface Peer extends Ready {
  /** Makes a sequence, whose prompts and whose whole have so many tokens at most. */
  open(promptTokens: number, tokens: number): Promise<Sequence>;
  /** Multiplies a row by a layer's matrix, where products are all that there is. */
  product?(name: string, row: readonly number[]): Promise<ArrayLike<number>>;
}

/** One sequence of a model. Each call ends when its work is done. */
export interface Sequence {
  /** Forgets everything and computes a prompt. */
  begin(ids: readonly number[]): Promise<void>;
  /** Generates tokens greedily. */
  generate(steps: number): Promise<void>;
  /** Computes a prompt and, step by step, further tokens; returns the logits after the last one, up to a constant. */
  logits?(prompt: readonly number[], further: readonly number[]): Promise<ArrayLike<number>>;
}

/** A question to a child. */
export type Question =
  | { readonly ask: "logits"; readonly prompt: readonly number[]; readonly further: readonly number[] }
  | { readonly ask: "product"; readonly name: string; readonly row: readonly number[] }
  | { readonly ask: "prefill"; readonly tokens: number }
  /** Steps behind the last prefill. */
  | { readonly ask: "decode" };

/** The time of a prefill, or of each of some steps. */
export interface Timed {
  readonly ms: number;
  readonly steps: number;
  /** The rates that a least time was computed with. */
  readonly rates?: { readonly gb_per_s: number; readonly gmacs_per_s: number };
}

/** Its answer. */
export type Answer =
  | ({ readonly is: "ready" } & Ready)
  /** Logits, or a product. */
  | { readonly is: "values"; readonly values: readonly number[] }
  | ({ readonly is: "time" } & Timed)
  | { readonly is: "failed"; readonly reason: string };

/** Begins a line that is an answer, since packages write lines of their own. */
export const ANSWER = "kvbench-peer ";

/** The longest prompt that is asked for, and the most steps behind it. */
export const MOST_PROMPT = 512, MOST_STEPS = 8;

/** Returns the made-up prompt of a length. */
export function promptOf(tokens: number, vocabSize: number): number[] {
  return Array.from({ length: tokens }, (_, i) => (i * 7919) % vocabSize);
}
