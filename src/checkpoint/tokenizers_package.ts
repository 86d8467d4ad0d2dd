/**
 * The package that reads vocabularies of models' own. It is fetched by the first run that needs it: its name is no
 * literal where it is imported, and so not in the module graph. `tools/bundle.ts` puts `tools/bundled_tokenizers.ts` in
 * this file's place.
 *
 * @module
 */

/** The package's exports. */
export type TokenizersPackage = typeof import("npm:@huggingface/tokenizers@0.2.0");

const PACKAGE: string = "npm:@huggingface/tokenizers@0.2.0";

/** Imports the package. */
export function importTokenizers(): Promise<TokenizersPackage> {
  return import(PACKAGE);
}
