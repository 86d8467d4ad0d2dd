/**
 * The package that reads vocabularies of models' own, as a part of the bundle: in the place of
 * `src/checkpoint/tokenizers_package.ts`.
 */
import type { TokenizersPackage } from "../src/checkpoint/tokenizers_package.ts";

/** Imports the package. */
export function importTokenizers(): Promise<TokenizersPackage> {
  return import("npm:@huggingface/tokenizers@0.2.0");
}
