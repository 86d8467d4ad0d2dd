/** The options of a comparison, as `compare` and `bench --baseline` take them. */
import { inGroup, type Values } from "./option_spec.ts";
import { share } from "./values.ts";

/** The least difference that counts, and the one that ends the program with code 3. */
export const COMPARE_OPTIONS = inGroup("Comparison", {
  flags: "--threshold <share>",
  help: "Differences below this are ignored",
  parse: share(0, 10),
  default: 0.05,
  defaultText: "5%",
}, {
  flags: "--fail-on <share>",
  help: "End with code 3 if anything is slower, or takes more memory, by more than this, such as 5%",
  parse: share(0, 10),
});

/** Values of {@link COMPARE_OPTIONS}. */
export type CompareOptions = Values<typeof COMPARE_OPTIONS>;
