/** The facts of a model that a simulation needs: the memory and work of a token. Host only. */
import { type Dtype, formatOf } from "../formats/registry.ts";
import { kvRowBytes } from "../kv/shape.ts";
import { type Gpt2Config, parameterCount } from "../checkpoint/config.ts";
import { dimsOf } from "../model/dims.ts";

export interface ModelShape {
  readonly name: string;
  readonly nLayer: number;
  /** Width of K, and of V, per token and layer. */
  readonly width: number;
  readonly nCtx: number;
  readonly parameters: number;
  /** Bytes of all parameters. */
  readonly weightBytes: number;
  /** Bytes of one token's K and V in all layers. */
  readonly kvTokenBytes: number;
}

/** Returns the shape of a GPT-2, with the padding that kvbench stores. */
export function shapeOf(
  name: string,
  config: Gpt2Config,
  { weightsDtype, kvDtype }: { readonly weightsDtype: Dtype; readonly kvDtype: Dtype },
): ModelShape {
  const { nLayer, nHead, nCtx } = config;
  const { a4 } = dimsOf(config);
  const parameters = parameterCount(config);
  return {
    name,
    nLayer,
    width: 4 * a4,
    nCtx,
    parameters,
    weightBytes: parameters * formatOf(weightsDtype).bytes,
    kvTokenBytes: nLayer * kvRowBytes({ a4, nHead, dtype: kvDtype }),
  };
}

/**
 * The models that the PagedAttention paper serves (Zhang et al. 2022, "OPT", table 1), in 16 bits, for simulation only.
 */
export const OPT_SHAPES: readonly ModelShape[] = [
  opt("opt-13b", 40, 5120, 13e9),
  opt("opt-66b", 64, 9216, 66e9),
  opt("opt-175b", 96, 12288, 175e9),
];

function opt(name: string, nLayer: number, width: number, parameters: number): ModelShape {
  return {
    name,
    nLayer,
    width,
    nCtx: 2048,
    parameters,
    weightBytes: 2 * parameters,
    kvTokenBytes: 2 * nLayer * width * 2,
  };
}
