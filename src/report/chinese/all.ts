/** Chinese (simplified) texts of reports, by their English templates. */
import { BENCH } from "./bench.ts";
import { FIGURES } from "./figures.ts";
import { GALLERY } from "./gallery.ts";
import { LADDER } from "./ladder.ts";
import { OPTIONS } from "./options.ts";
import { PAGE } from "./page.ts";
import { REQUESTS } from "./requests.ts";

/** All of them. */
export const CHINESE: ReadonlyMap<string, string> = new Map(
  [PAGE, OPTIONS, BENCH, FIGURES, REQUESTS, GALLERY, LADDER].flatMap((texts) => Object.entries(texts)),
);
