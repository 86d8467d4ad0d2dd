/**
 * The languages of the ladder.
 *
 * @module
 */
import { CHINESE } from "./chinese.ts";
import { ENGLISH } from "./english.ts";
import type { LadderWords } from "./words.ts";

/** A language of the ladder. */
export type Lang = "en" | "zh";
/** Languages of the ladder. */
export const LANGS: readonly Lang[] = ["en", "zh"];

/** The language of everything else. */
export const DEFAULT_LANG: Lang = "en";

const WORDS: Readonly<Record<Lang, LadderWords>> = { en: ENGLISH, zh: CHINESE };

/** Returns the words of a language. */
export function wordsIn(lang: Lang): LadderWords {
  return WORDS[lang];
}
