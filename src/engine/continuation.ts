/** One continuation of a prompt while it grows: its ids, the text that they make, and why it ended. */
import type { DecodeStream, Tokenizer } from "../checkpoint/tokenizer.ts";
import { StopDetector } from "./stop.ts";

/** Why a continuation ended: it has all its tokens, a stop string was found, or the model ended its text. */
type FinishReason = "length" | "stop" | "eos";

/** Grows id by id. */
export class Continuation {
  /** The ids that were pushed. */
  readonly ids: number[] = [];
  /** The text that can be shown so far; null without a tokenizer. */
  text: string | null;
  /** Undefined while it grows. */
  finishReason: FinishReason | undefined;
  /** UTF-16 units decoded so far, whether they can be shown or not. */
  decoded = 0;
  readonly #stop: StopDetector;
  readonly #stream: DecodeStream | undefined;

  /**
   * Begins empty.
   *
   * @param stops Texts before which it ends.
   * @param prompt Ids that it continues.
   */
  constructor(tokenizer: Tokenizer | undefined, stops: readonly string[], prompt: readonly number[]) {
    this.#stop = new StopDetector(stops);
    this.#stream = tokenizer?.decodeStream(prompt);
    this.text = tokenizer ? "" : null;
  }

  /** Takes an id; returns the text that can be shown now. */
  push(id: number, eos: number | undefined): string {
    if (this.finishReason !== undefined) return "";
    this.ids.push(id);
    if (id === eos) return this.end("eos");
    const piece = this.#show(this.#stream?.push([id]) ?? "");
    if (this.#stop.stopped) this.finishReason = "stop";
    return piece;
  }

  /** Ends it; returns the text that was held back. */
  end(reason: FinishReason): string {
    if (this.finishReason !== undefined) return "";
    const shown = this.#show(this.#stream?.flush() ?? "");
    const held = this.#stop.flush();
    if (this.text !== null) this.text += held;
    this.finishReason = reason;
    return shown + held;
  }

  #show(text: string): string {
    this.decoded += text.length;
    const piece = this.#stop.push(text);
    if (this.text !== null) this.text += piece;
    return piece;
  }
}
