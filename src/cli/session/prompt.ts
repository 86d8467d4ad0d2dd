/** The prompt of a command line: ids, a text, or what comes on stdin. */
import { UsageError } from "../../base/errors.ts";
import { decodeUtf8 } from "../../base/utf8.ts";
import type { Tokenizer } from "../../checkpoint/tokenizer.ts";

/** Most bytes of a prompt's text: longer ones can't fit a context, and encoding time grows quadratically. */
const MAX_PROMPT_BYTES = 64 << 10;

/** A prompt on the command line. */
interface PromptOptions {
  readonly prompt: string | undefined;
  readonly promptIds: readonly number[] | undefined;
}

/**
 * Returns the ids of a prompt: the given ids, or those of the text, which is read from stdin if it is not given.
 *
 * @throws {UsageError} If there is no prompt, two of them, or no tokenizer for a text.
 */
export async function promptIds(
  options: PromptOptions,
  tokenizer: Tokenizer | undefined,
): Promise<{ text: string | null; ids: readonly number[] }> {
  if (options.promptIds !== undefined) {
    if (options.prompt !== undefined) {
      throw new UsageError("Both a prompt and --prompt-ids are given: expected one");
    }
    return { text: null, ids: options.promptIds };
  }
  if (options.prompt?.includes("\ufffd")) {
    throw new UsageError(
      "The prompt holds U+FFFD, which also stands for bytes that are not UTF-8: expected other text, or the prompt on stdin",
    );
  }
  const text = options.prompt ?? await readStdin();
  if (text === "") {
    throw new UsageError("The prompt is empty: expected text as an argument or on stdin, or --prompt-ids");
  }
  if (new TextEncoder().encode(text).length > MAX_PROMPT_BYTES) throw tooLong();
  if (!tokenizer) throw new UsageError("This model has no tokenizer: expected --prompt-ids");
  const ids = tokenizer.encode(text);
  if (ids.length === 0) {
    throw new UsageError("The prompt has no token in this vocabulary: expected other text");
  }
  return { text, ids };
}

function tooLong(): UsageError {
  return new UsageError(`The prompt is too long: expected at most ${MAX_PROMPT_BYTES} bytes of text`);
}

async function readStdin(): Promise<string> {
  if (Deno.stdin.isTerminal()) return "";
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of Deno.stdin.readable) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_PROMPT_BYTES) throw tooLong();
  }
  const all = new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  return decodeUtf8(all, "stdin").trimEnd();
}
