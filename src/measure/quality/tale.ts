/**
 * A text of 1,275 tokens that comes with kvbench, written for it, so that no model has been trained on it.
 */
import TALE from "./tale.txt" with { type: "text" };

/** A tale. */
export { TALE };
