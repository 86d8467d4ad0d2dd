/**
 * The WGSL files by which kernels read weights and activation inputs and write activation outputs: one for each kind of
 * storage.
 */
import weightBufferCode from "../../wgsl/lib/weights/weight_buffer.wgsl" with { type: "text" };
import byTileCode from "../../wgsl/lib/weights/order_by_tile.wgsl" with { type: "text" };
import byVectorCode from "../../wgsl/lib/weights/order_by_vector.wgsl" with { type: "text" };
import weightTexelsCode from "../../wgsl/lib/weights/weight_texels.wgsl" with { type: "text" };
import xBufferCode from "../../wgsl/lib/io/x_buffer.wgsl" with { type: "text" };
import xTexelsCode from "../../wgsl/lib/io/x_texels.wgsl" with { type: "text" };
import yAddedCode from "../../wgsl/lib/io/y_added.wgsl" with { type: "text" };
import yBufferCode from "../../wgsl/lib/io/y_buffer.wgsl" with { type: "text" };
import yTexelsCode from "../../wgsl/lib/io/y_texels.wgsl" with { type: "text" };
import { type Dtype, weightStorage } from "../formats/registry.ts";
import type { WgslFile } from "../gpu/wgsl.ts";
import type { Tuning } from "./tuning.ts";

/** The files of each kind of storage. */
const IO = {
  byTile: { name: "order_by_tile.wgsl", code: byTileCode },
  byVector: { name: "order_by_vector.wgsl", code: byVectorCode },
  weightBuffer: { name: "weight_buffer.wgsl", code: weightBufferCode },
  weightTexels: { name: "weight_texels.wgsl", code: weightTexelsCode },
  xBuffer: { name: "x_buffer.wgsl", code: xBufferCode },
  xTexels: { name: "x_texels.wgsl", code: xTexelsCode },
  yBuffer: { name: "y_buffer.wgsl", code: yBufferCode },
  yAdded: { name: "y_added.wgsl", code: yAddedCode },
  yTexels: { name: "y_texels.wgsl", code: yTexelsCode },
} as const satisfies Record<string, WgslFile>;

/** All of them. */
export const IO_FILES: readonly WgslFile[] = Object.values(IO);

/** Says where operands and results lie. */
type Storage = Pick<Tuning, "texels">;

/** Chooses the files that read a weight matrix. */
export function weightFiles(
  dtype: Dtype,
  { texels, byVector }: Storage & Pick<Tuning, "byVector">,
): WgslFile[] {
  const order = byVector ? IO.byVector : IO.byTile;
  return [texels ? IO.weightTexels : IO.weightBuffer, order, weightStorage(dtype).wgsl];
}

/** Chooses the file that reads the activation input. */
export function inputFile({ texels }: Storage): WgslFile {
  return texels ? IO.xTexels : IO.xBuffer;
}

/** Chooses the file that writes the activation output. */
export function outputFile({ texels }: Storage): WgslFile {
  return texels ? IO.yTexels : IO.yBuffer;
}

/** The file that adds the activation output to what a buffer holds. */
export const ADDED_OUTPUT: WgslFile = IO.yAdded;
