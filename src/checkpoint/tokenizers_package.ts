/**
 * The package that reads a model's own vocabulary. The first run that needs it fetches it: the import names it by a
 * variable, so that it is not in the module graph. `tools/bundle.ts` replaces this file by
 * `tools/bundled_tokenizers.ts`.
 */

/** The package's exports. */
export type TokenizersPackage = typeof import("npm:@huggingface/tokenizers@0.2.0");

const PACKAGE: string = "npm:@huggingface/tokenizers@0.2.0";

/** Imports the package. */
export function importTokenizers(): Promise<TokenizersPackage> {
  return import(PACKAGE);
}
