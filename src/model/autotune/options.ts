/** Options of a choice of kernel variants. */
import type { Dtype } from "../../formats/registry.ts";
import type { Gpt2Config } from "../../checkpoint/config.ts";

/** Options of a choice of kernel variants. */
export interface AutotuneOptions {
  /** The model's dimensions. */
  readonly config: Gpt2Config;
  /** Storage type of weight matrices. */
  readonly weightsDtype: Dtype;
  /** Storage type of K and V. */
  readonly kvDtype: Dtype;
}
