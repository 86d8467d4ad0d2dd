/**
 * What a choice of kernel variants depends on.
 *
 * @module
 */
import type { Dtype } from "../../formats/registry.ts";
import type { Gpt2Config } from "../../checkpoint/config.ts";

/** What a choice of kernel variants depends on. */
export interface AutotuneOptions {
  /** The model's dimensions. */
  readonly config: Gpt2Config;
  /** How weight matrices are stored. */
  readonly weightsDtype: Dtype;
  /** How K and V are stored. */
  readonly kvDtype: Dtype;
}
