/**
 * Linear products: which kernel computes how many rows, how its grid lies, and how rows are padded for it.
 *
 * @module
 */
import { createKernel, type Kernel } from "../gpu/kernel.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { WgslFile } from "../gpu/wgsl.ts";
import { FILES, placeFiles } from "./files.ts";
import type { KernelContext, Layouts, Role } from "./layouts.ts";
import type { Tuning } from "./tuning.ts";
import type { PackedMatrix } from "./weights.ts";

/** One of the linear kernels. */
export interface LinearForm {
  /** The files that are joined after `linear.wgsl`. */
  readonly files: readonly WgslFile[];
  /** Whether they use subgroup operations. */
  readonly subgroups?: boolean;
  /** Lanes of a workgroup that make different outputs. */
  readonly lanes: number;
  /** Rows that a workgroup computes. */
  readonly rows: number;
  /** Output tiles that a lane makes. */
  readonly tilesPerLane: number;
  /** Whether the groups of rows are the grid's first axis, and those of output tiles its second. */
  readonly rowsFirst: boolean;
  /** Overrides beyond those of `linear.wgsl`. */
  readonly overrides: Readonly<Record<string, number>>;
}

/** Output tiles that the subgroups of a workgroup share out: few, so that one row gives many workgroups. */
const SUBGROUP_TILES = 4;

/** The kernel for one row or very few, and `n4` output tiles. */
export function linearRowForm(tuning: Tuning, n4: number): LinearForm {
  const { kSplit, subgroups, wideRowTiles, linearLanes: lanes } = tuning;
  const form = { files: [FILES.linearRow], lanes, rows: 1, tilesPerLane: 1, rowsFirst: false, overrides: {} };
  if (subgroups) {
    const files = [FILES.linearRowSubgroup];
    return { ...form, files, subgroups, lanes: SUBGROUP_TILES, overrides: { K_SPLIT: kSplit } };
  }
  if (kSplit > 1) return { ...form, files: [FILES.linearRowSplit], overrides: { K_SPLIT: kSplit } };
  if (n4 < wideRowTiles) return form;
  return { ...form, files: [FILES.linearWide, FILES.linearRowWide], tilesPerLane: 4 };
}

/** The kernels for many rows, those for fewer first. */
export function linearRowsForms({ wideRows, tallRows, linearLanes: lanes }: Tuning): LinearForm[] {
  if (!wideRows) {
    return [{ files: [FILES.linearRows], lanes, rows: 8, tilesPerLane: 1, rowsFirst: false, overrides: {} }];
  }
  const wide = { lanes, tilesPerLane: 4, rowsFirst: true, overrides: {} };
  const eight = { ...wide, files: [FILES.linearWide, FILES.linearRowsWide], rows: 8 };
  const sixteen = { ...wide, files: [FILES.linearWide, FILES.linearRowsTall], rows: 16 };
  return tallRows ? [eight, sixteen] : [eight];
}

/** The rows that buffers must have for products of up to `rows` rows: kernels for many compute whole groups. */
export function paddedRows(rows: number, tuning: Tuning): number {
  if (rows <= tuning.maxSingleRows) return rows;
  const group = formFor(linearRowsForms(tuning), rows).rows;
  return Math.ceil(rows / group) * group;
}

/** What a linear product does with its sums; see `linear.wgsl`. */
export interface LinearOptions {
  /** What the product is for; none where it is only timed or tested. */
  readonly role?: Role;
  /** Adds a bias. */
  readonly bias?: boolean;
  /** Applies GELU. */
  readonly gelu?: boolean;
  /** Adds to what is there. */
  readonly residual?: boolean;
  /** Whether another kernel reads the result as its x, from texels where the tuning says so. */
  readonly chained?: boolean;
  /** Width of the result, where the product fills a part of it. */
  readonly yStride4?: number;
  /** Its first column. */
  readonly yOffset4?: number;
}

/** The products of a layer, and what each does with its sums. */
export const PRODUCTS = {
  qkv: { bias: true, chained: true },
  proj: { bias: true, residual: true },
  fc: { bias: true, gelu: true, chained: true },
  out: { bias: true, residual: true },
} as const satisfies Partial<Record<Role, LinearOptions>>;
/** The layout of what a product binds. */
export function linearLayout(layouts: Layouts, { chained = false }: LinearOptions): Layouts["linear"] {
  return chained ? layouts.linearChained : layouts.linear;
}

/** A product of a layer. */
export type Product = keyof typeof PRODUCTS;

/** Whether a kernel's label is that of a product of a layer. */
export function isProduct(label: string): label is Product {
  return Object.hasOwn(PRODUCTS, label);
}

/** Numbers of rows: the fewest and the most. */
export type RowCounts = readonly [fewest: number, most: number];

/** Every number of rows. */
const ANY_ROWS: RowCounts = [1, Infinity];

/** The kernels that products of so many rows use. */
export function linearForms(tuning: Tuning, n4: number, [fewest, most]: RowCounts): LinearForm[] {
  const { maxSingleRows } = tuning, many = linearRowsForms(tuning);
  const row = fewest <= maxSingleRows ? [linearRowForm(tuning, n4)] : [];
  if (most <= maxSingleRows) return row;
  const smallest = formFor(many, Math.max(fewest, maxSingleRows + 1)), largest = formFor(many, most);
  return [...row, ...many.slice(many.indexOf(smallest), many.indexOf(largest) + 1)];
}

/** A linear product, compiled. */
export interface LinearProduct {
  /**
   * Records it for `nRows` rows.
   *
   * @throws {Error} If it was not compiled for so many.
   */
  record(recorder: Recorder, group: GPUBindGroup, nRows: number): void;
}

/** A form, compiled. */
interface CompiledForm extends LinearForm {
  readonly kernel: Kernel;
}

/**
 * Compiles a linear product in the forms that its numbers of rows take. Default: any number.
 *
 * @throws {KvbenchError} If a kernel does not compile.
 */
export async function linearProduct(
  context: KernelContext,
  weight: Pick<PackedMatrix, "k4" | "n4">,
  options: LinearOptions,
  rows: RowCounts = ANY_ROWS,
): Promise<LinearProduct> {
  const { tuning } = context, { maxSingleRows } = tuning;
  const compile = async (form: LinearForm): Promise<CompiledForm> => ({
    ...form,
    kernel: await compileForm(form, { context, weight, options }),
  });
  const forms = await Promise.all(linearForms(tuning, weight.n4, rows).map(compile));
  const [single, many] = [forms.filter(({ rows }) => rows === 1), forms.filter(({ rows }) => rows > 1)];
  return {
    record: (recorder, group, nRows) => {
      if (nRows < rows[0] || nRows > rows[1]) {
        throw new Error(`No kernel for ${nRows} rows: compiled for ${rows.join(" to ")}`);
      }
      const form = nRows <= maxSingleRows ? single[0]! : formFor(many, nRows);
      recorder.dispatch(form.kernel, [group], ...linearGrid(form, { n4: weight.n4, nRows }));
    },
  };
}

/** A kernel's workgroups. */
export function linearGrid(
  { lanes, rows, tilesPerLane, rowsFirst }: LinearForm,
  { n4, nRows }: { readonly n4: number; readonly nRows: number },
): [number, number] {
  const tileGroups = Math.ceil(n4 / (lanes * tilesPerLane)), rowGroups = Math.ceil(nRows / rows);
  return rowsFirst ? [rowGroups, tileGroups] : [tileGroups, rowGroups];
}

/** The first form whose groups hold all rows, or else the one with the largest groups. */
function formFor<Form extends LinearForm>(forms: readonly Form[], nRows: number): Form {
  return forms.find(({ rows }) => nRows <= rows) ?? forms.at(-1)!;
}

function compileForm(
  { files, subgroups = false, lanes, overrides }: LinearForm,
  { context, weight, options }: {
    readonly context: KernelContext;
    readonly weight: Pick<PackedMatrix, "k4" | "n4">;
    readonly options: LinearOptions;
  },
): Promise<Kernel> {
  const { device, layouts, tuning, weightsDtype } = context;
  const { texels } = tuning;
  const { chained = false, residual = false } = options;
  const places = placeFiles({
    weight: { dtype: weightsDtype, texels },
    x: { texels },
    y: { texels: texels && chained, added: residual },
  });
  return createKernel(device, {
    ...options.role && { label: options.role },
    files: [...places, FILES.linear, ...files],
    subgroups,
    groups: [layouts.step, linearLayout(layouts, options)],
    overrides: {
      K4: weight.k4,
      N4: weight.n4,
      TILE_GROUP: tuning.tileGroup,
      Y_STRIDE4: options.yStride4 ?? weight.n4,
      Y_OFFSET4: options.yOffset4 ?? 0,
      BIAS: Number(options.bias ?? false),
      GELU: Number(options.gelu ?? false),
      LANES: lanes,
      ...overrides,
    },
  });
}
