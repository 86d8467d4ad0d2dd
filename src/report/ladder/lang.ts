/**
 * The ladder's words in each language.
 *
 * @module
 */
import type { Lang } from "../lang.ts";
import { CHINESE } from "./chinese.ts";
import { ENGLISH } from "./english.ts";
import type { LadderWords } from "./words.ts";

const WORDS: Readonly<Record<Lang, LadderWords>> = { en: ENGLISH, zh: CHINESE };

/** Returns the words of a language. */
export function wordsIn(lang: Lang): LadderWords {
  return WORDS[lang];
}
