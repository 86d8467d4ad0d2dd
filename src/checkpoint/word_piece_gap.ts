/**
 * The space between two words of a WordPiece text. WordPiece forgets spaces: `transformers` puts one between any two
 * words, and takes those away again that English punctuation doesn't have. Here no space stands beside a Chinese or
 * Japanese character either, because the text that was encoded had none there.
 */

/** Characters of scripts without spaces, and full-width signs. */
const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]/u;
/** Signs of such texts that others have too: quotation marks, dash, ellipsis. */
const SHARED = /[\u2014\u2018\u2019\u201c\u201d\u2026]/u;
/** Signs that English text has no space before. */
const CLOSING = /^[.,!?]$/;

/**
 * Returns the text between two words: a space, or nothing.
 *
 * @param before The word before, or its last part.
 * @param after The next word, or its first part.
 * @param cleanUp True if English punctuation has no space before it.
 */
export function wordPieceGap(before: string, after: string, cleanUp: boolean): "" | " " {
  const last = before.match(/.$/us)?.[0] ?? "", first = after.match(/^./us)?.[0] ?? "";
  if (WIDE.test(last) || WIDE.test(first) || SHARED.test(last) && SHARED.test(first)) return "";
  // An apostrophe joins: don't, it's.
  return cleanUp && (CLOSING.test(after) || before === "'" || after === "'") ? "" : " ";
}
