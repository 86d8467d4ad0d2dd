/**
 * The languages of reports. A text is a template in English, which is also its name in the other languages' tables.
 *
 * @module
 */

/** A language of reports. */
export type Lang = "en" | "zh";
/** Languages of reports. */
export const LANGS: readonly Lang[] = ["en", "zh"];

/** The language where none is asked for. */
export const DEFAULT_LANG: Lang = "en";

/** A part that is put into a text. */
export type Said = string | number;

/** Says a template in a language; its parts are in that language already. */
export type Say = (texts: TemplateStringsArray, ...parts: readonly Said[]) => string;

/** Says a template as it stands. */
export const inEnglish: Say = (texts, ...parts) => String.raw({ raw: texts }, ...parts);
