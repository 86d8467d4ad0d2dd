/** Texts of reports in each language. */
import { CHINESE } from "./chinese/all.ts";
import { inEnglish, type Lang, type Say } from "./lang.ts";

const SAYING: Readonly<Record<Lang, Say>> = {
  en: inEnglish,
  zh: (texts, ...parts) => {
    const found = CHINESE.get(inEnglish(texts, ...texts.slice(1).map((_, i) => `{${i}}`)));
    // What is not in the table comes from elsewhere, such as a strategy of somebody's own.
    return found?.replaceAll(/\{(\d+)\}/g, (_, i) => String(parts[i])) ?? inEnglish(texts, ...parts);
  },
};

/** Returns what says texts in a language. */
export function sayIn(lang: Lang): Say {
  return SAYING[lang];
}
