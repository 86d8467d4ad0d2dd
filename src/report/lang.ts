/**
 * The languages of reports. A text is a template in English, which is also its name in the other languages' tables.
 */

/** A language of reports. */
export type Lang = "en" | "zh";
/** Languages of reports. */
export const LANGS: readonly Lang[] = ["en", "zh"];

/** The language where none is asked for. */
export const DEFAULT_LANG: Lang = "en";

/** A part that is put into a text. */
type Said = string | number;

/** Says a template in a language; its parts are in that language already. Line breaks with what follows are spaces. */
export type Say = (texts: TemplateStringsArray, ...parts: readonly Said[]) => string;

/** Says a template as it stands; also marks a text that {@linkcode inWords} says later. */
export const inEnglish: Say = (texts, ...parts) => filled(texts.map(unbroken), parts);

/** Says a text that was marked before. */
export function inWords(text: string, t: Say): string {
  return t(Object.assign([text], { raw: [text] }));
}

function filled(texts: readonly string[], parts: readonly Said[]): string {
  return texts.reduce((all, text, i) => `${all}${parts[i - 1]}${text}`);
}

function unbroken(text: string): string {
  return text.replaceAll(/\n\s*/g, " ");
}
