/**
 * The kernels of linear products: which one computes how many rows, its epilogue, its grid, and how rows are padded for
 * it.
 */
import { DEFAULT_DTYPE, type Dtype, weightStorage } from "../../../src/formats/registry.ts";
import type { WgslFile } from "../../../src/gpu/wgsl.ts";
import type { KvSource } from "../../../src/kv/source.ts";
import type { Batch } from "../../../src/model/batch.ts";
import { dimsOf } from "../../../src/model/dims.ts";
import { ADDED_OUTPUT, inputFile, outputFile, weightFiles } from "../../../src/model/io.ts";
import type { KernelContext, KernelPlan, Uses } from "../../../src/model/plan.ts";
import { storedK4 } from "../../../src/model/pack.ts";
import { splitsOf, type Tuning } from "../../../src/model/tuning.ts";
import {
  fewRoundedRowsSize,
  fewRowsSize,
  type LinearShape,
  type LinearSize,
  splitSize,
  SUBGROUP_LANES,
  subgroupSize,
} from "./sizes.ts";
import { FILES } from "./files.ts";
import { linearWalk, normedRoom, waitsOfJoining, waitsOfNorming } from "./walks.ts";

/** One of the linear kernels. */
export interface LinearForm {
  /** Its files beside `linear.wgsl`; the last one names it. */
  readonly files: readonly WgslFile[];
  /** True if they use subgroup operations. */
  readonly subgroups?: boolean;
  /** Rows that a workgroup computes. */
  readonly rows: number;
  /**
   * True if its workgroups can make their input themselves, a layer norm or splits joined, and find the likeliest token of
   * their outputs. Default: they can't.
   */
  readonly fuses?: boolean;
  /** The most rows for which it is used, of all forms of a tuning but the last one. Default: those of a workgroup. */
  readonly upTo?: number;
  /** Output tiles that a lane makes. */
  readonly tilesPerLane: number;
  /** True if the groups of rows are the grid's first axis, and those of output tiles its second. */
  readonly rowsFirst: boolean;
  /** Sizes its workgroups for a product. */
  size(shape: LinearShape): LinearSize;
  /** Lanes beside each other and along k, where its files or the device say so. Default: its size does. */
  readonly lanes?: { readonly beside: number; readonly along: number };
}

/** Rows up to which a GPU is busier with whole sums of eight rows than with blocks of 64. */
const FEW_ROWS = 32;
/** Lanes of a block; see `linear_rows_block.wgsl`. */
const BLOCK = { beside: 16, along: 8 };

/** Tells whether products of weights in a storage type round their inputs. */
function roundsInputs(dtype: Dtype): boolean {
  return weightStorage(dtype).inputs !== undefined;
}

/** The files under kernels whose lanes make four neighbouring output tiles. */
function wideFiles({ broadcastRows }: Tuning): readonly WgslFile[] {
  return [FILES.WIDE, broadcastRows ? FILES.EIGHT_BROADCAST : FILES.EIGHT];
}

/** Chooses the GEMV for one row or very few. Default: of weights in float32. */
export function linearRowForm(tuning: Tuning, dtype: Dtype = DEFAULT_DTYPE): LinearForm {
  const { kSplit, subgroups, broadcastRows, linearLanes: lanes, maxSingleRows: upTo } = tuning;
  const form = { rows: 1, upTo, tilesPerLane: 1, rowsFirst: false };
  if (subgroups) {
    return {
      ...form,
      fuses: true,
      files: [FILES.SPLIT, FILES.ROW_SUBGROUP],
      subgroups,
      lanes: { beside: 1, along: SUBGROUP_LANES },
      size: (shape) => subgroupSize(tuning, shape),
    };
  }
  const rounds = roundsInputs(dtype), size = () => ({ lanes });
  if (rounds && broadcastRows) {
    return {
      ...form,
      files: [FILES.WIDE, FILES.GROUP, FILES.DOT, FILES.ROW_DOT],
      subgroups: true,
      tilesPerLane: 4,
      size,
    };
  }
  if (kSplit > 1 || rounds) {
    return {
      ...form,
      fuses: true,
      files: [FILES.SPLIT, FILES.ROW_SPLIT],
      size: (shape) => splitSize(tuning, shape),
    };
  }
  return {
    ...form,
    files: [...wideFiles(tuning), FILES.ROW_WIDE],
    subgroups: broadcastRows,
    tilesPerLane: 4,
    size,
  };
}

/** Chooses the GEMMs for many rows, those for fewer first. Default: of weights in float32. */
export function linearRowsForms(tuning: Tuning, dtype: Dtype = DEFAULT_DTYPE): LinearForm[] {
  const { wideRows, tallRows, broadcastRows: subgroups, linearLanes: lanes } = tuning;
  const rounds = roundsInputs(dtype),
    wide = { tilesPerLane: 4, rowsFirst: true, subgroups, size: () => ({ lanes }) };
  if (rounds && subgroups) {
    return [{ ...wide, files: [FILES.WIDE, FILES.GROUP, FILES.DOT, FILES.ROWS_DOT], rows: 8 }];
  }
  if (!wideRows || rounds) {
    const few = {
      files: [FILES.EIGHT_HALVES, rounds ? FILES.ROWS_SPLIT_DOT : FILES.ROWS_SPLIT],
      rows: 8,
      upTo: FEW_ROWS,
      rowsFirst: false,
      size: rounds ? fewRoundedRowsSize : fewRowsSize,
    };
    const block = {
      files: rounds ? [FILES.GROUP, FILES.ROWS_BLOCK_DOT] : [FILES.ROWS_BLOCK],
      rows: 64,
      rowsFirst: true,
      lanes: BLOCK,
      size: () => ({ lanes: BLOCK.beside }),
    };
    return [few, block].map((form) => ({ ...form, tilesPerLane: 1 }));
  }
  const files = wideFiles(tuning);
  const eight = { ...wide, files: [...files, FILES.ROWS_WIDE], rows: 8 };
  const sixteen = { ...wide, files: [...files, FILES.ROWS_TALL], rows: 16 };
  return tallRows ? [eight, sixteen] : [eight];
}

/** Rounds up to the rows that buffers must have for products of up to `rows` rows: a GEMM computes whole groups. */
export function paddedRows(rows: number, tuning: Tuning, dtype: Dtype): number {
  if (rows <= tuning.maxSingleRows) return rows;
  const group = formFor(linearRowsForms(tuning, dtype), rows).rows;
  return Math.ceil(rows / group) * group;
}

/** Epilogue and place of a product; see `linear.wgsl`. */
export interface LinearOptions {
  /** Its purpose, under which profiles count it. Default: its kernel's name. */
  readonly role?: string;
  /** Adds a bias. */
  readonly bias?: boolean;
  /** Applies GELU. */
  readonly gelu?: boolean;
  /** Adds to what is there. */
  readonly residual?: boolean;
  /** True if its input is a layer norm's, which it makes itself where its form and the tuning say so. */
  readonly normed?: boolean;
  /** True if another kernel reads the activation output, from texture storage where the tuning says so. */
  readonly chained?: boolean;
  /** Width of the output, where the product fills a part of it. */
  readonly yStride4?: number;
  /** Its first column. */
  readonly yOffset4?: number;
}

/** The products of a layer, and their epilogues. */
export const PRODUCTS = {
  qkv: { bias: true, chained: true, normed: true },
  proj: { bias: true, residual: true },
  fc: { bias: true, gelu: true, chained: true, normed: true },
  out: { bias: true, residual: true },
} as const satisfies Record<string, LinearOptions>;

/** A product of a layer. */
export type Product = keyof typeof PRODUCTS;

/** Tells whether a kernel's label is that of a product of a layer. */
export function isProduct(label: string): label is Product {
  return Object.hasOwn(PRODUCTS, label);
}

/** Numbers of rows: the fewest and the most. */
export type RowCounts = readonly [fewest: number, most: number];

/** The place of a part of the head among the likeliest tokens of all parts. */
export interface HeadParts {
  /** Those of all products. */
  readonly parts: number;
  /** Its first one. */
  readonly firstPart: number;
}

/** Counts the workgroups that a product of one row has for each row: parts of the vocabulary, if it is the head's. */
function partsOf(tuning: Tuning, shape: LinearShape): number {
  const { size, tilesPerLane } = linearRowForm(tuning, shape.dtype);
  return Math.ceil(shape.n4 / (size(shape).lanes * tilesPerLane));
}

/** Places the parts of the shards of a head. */
export function headPartsOf(tuning: Tuning, shards: readonly LinearShape[]): HeadParts[] {
  const counts = shards.map((shape) => partsOf(tuning, shape)),
    sum = (some: number[]) => some.reduce((a, b) => a + b, 0);
  return counts.map((_, i) => ({ parts: sum(counts), firstPart: sum(counts.slice(0, i)) }));
}

/** Shape and epilogue of a product to compile. */
export interface LinearOf extends LinearOptions {
  /** Input width in vectors of four. */
  readonly k4: number;
  /** Output width in vectors of four. */
  readonly n4: number;
  /** Numbers of rows that it is compiled for. Default: any. */
  readonly rows?: RowCounts;
  /** True if its rows are those that want logits. Default: all of them. */
  readonly ofOutputs?: boolean;
  /** The parts of the vocabulary whose likeliest tokens it finds, where its form and the tuning say so. Default: none. */
  readonly best?: HeadParts;
  /** True if it reads the splits of a decode attention, and joins them. Default: its input is ready. */
  readonly joins?: boolean;
  /** The memory in which it stores K and V in passing, if it makes them. Default: it stores none. */
  readonly kv?: KvSource | undefined;
}

const USES = {
  x: "operand",
  y: "readWrite",
  weight: "operand",
  bias: "read",
  scale: "read",
} as const satisfies Uses;
const CHAINED_USES = { ...USES, y: "result" } as const satisfies Uses;
/** Uses of the bindings of a chained product that makes its layer norm: what is not normalised yet lies in a buffer. */
export const NORMED_USES = {
  ...CHAINED_USES,
  x: "read",
  gamma: "read",
  beta: "read",
} as const satisfies Uses;

/** Uses of the bindings of the head's product that finds the likeliest tokens. */
export const BEST_USES = { ...USES, partial: "readWrite" } as const satisfies Uses;

/** Says what a product binds. */
export function linearUses({ chained = false }: LinearOptions): Uses<keyof typeof USES> {
  return chained ? CHAINED_USES : USES;
}

/** Tells whether products make the layer norm of so many rows themselves. */
export function normsRows(rows: number, { normedRows }: Pick<Tuning, "normedRows">): boolean {
  return rows <= normedRows;
}

/** Counts the rows that a product has in a batch. */
export function rowsOf({ nRows, nOutputs }: Batch, { ofOutputs = false }: LinearOf): number {
  return ofOutputs ? nOutputs : nRows;
}

/** Plans one of the kernels. */
export function linearPlan(
  { layouts, tuning, weightsDtype, config }: KernelContext,
  of: LinearOf,
  form: LinearForm,
): KernelPlan {
  const { files, subgroups = false, rows, fuses = false, tilesPerLane, rowsFirst, size } = form;
  const { k4, n4, role, chained = false, residual = false } = of;
  const kv = isFor(form, tuning.storedRows) ? of.kv : undefined;
  const best = fuses && isFor(form, tuning.chosenRows) ? of.best : undefined;
  const uses = best ? BEST_USES : linearUses(of);
  const normed = of.normed && fuses && isFor(form, tuning.normedRows);
  const joins = of.joins && fuses;
  const { inputs, four = FILES.FOUR } = weightStorage(weightsDtype);
  const made = normed ? FILES.INPUT_NORMED : joins ? FILES.INPUT_JOINED : undefined;
  const input = made ? [made, inputFile({ texels: false })] : [FILES.INPUT, inputFile(tuning)];
  if (chained && residual) {
    throw new Error("A texture can't be added to: expected a product that is not chained");
  }
  const { lanes, kSplit, atOnce, paired } = size({ k4, n4, dtype: weightsDtype });
  const allLanes = lanes * (kSplit ?? 1);
  const output = residual ? ADDED_OUTPUT : outputFile({ texels: tuning.texels && chained });
  return {
    spec: {
      ...role !== undefined && { label: role },
      files: [
        ...weightFiles(weightsDtype, tuning),
        ...inputs ? [inputs.wgsl] : [],
        ...fuses ? [...input, inputs ? FILES.OPERAND_ROUNDED : FILES.OPERAND] : [inputFile(tuning)],
        output,
        ...kv ? [FILES.RESULT_KV, ...kv.files.write] : [best ? FILES.RESULT_BEST : FILES.RESULT],
        ...[FILES.LINEAR, ...tilesPerLane === 4 && !inputs ? [four] : [], ...files],
      ],
      subgroups,
      groups: [
        layouts.step,
        layouts.of(normed ? NORMED_USES : uses),
        ...kv ? [kv.layouts.write] : [],
      ],
      overrides: {
        K4: k4,
        STORED_K4: storedK4(k4, weightsDtype),
        N4: n4,
        TILE_GROUP: tuning.tileGroup,
        Y_STRIDE4: of.yStride4 ?? n4,
        Y_OFFSET4: of.yOffset4 ?? 0,
        BIAS: Number(of.bias ?? false),
        GELU: Number(of.gelu ?? false),
        LANES: lanes,
        ...kSplit !== undefined && { K_SPLIT: kSplit },
        ...atOnce !== undefined && { AT_ONCE: atOnce },
        ...paired !== undefined && { PAIRED: Number(paired) },
        ...fuses && inputs && {
          OPERAND_LANES: allLanes,
          OPERAND_GROUPS: Math.ceil(4 * k4 / inputs.group),
        },
        ...normed && {
          NORM_LANES: allLanes,
          NORM_ROOM: normedRoom(k4, allLanes),
          N_EMBD: config.nEmbd,
          EPSILON: config.layerNormEpsilon,
        },
        ...best && { N_VOCAB: config.vocabSize, PARTS: best.parts, FIRST_PART: best.firstPart },
        ...joins && { MAX_SPLITS: splitsOf(config.nCtx, tuning), JOIN_LANES: allLanes },
        ...(kv || joins) && { N_HEAD: config.nHead, HEAD_DIM4: dimsOf(config).headDim4 },
        ...kv?.overrides.write,
      },
    },
    grid: (batch) => {
      const tileGroups = Math.ceil(n4 / (lanes * tilesPerLane)),
        rowGroups = Math.ceil(rowsOf(batch, of) / rows);
      return rowsFirst ? [rowGroups, tileGroups] : [tileGroups, rowGroups];
    },
    walk: {
      ...linearWalk(tuning, { k4, n4, dtype: weightsDtype }, form),
      ...joins && { before: waitsOfJoining(splitsOf(config.nCtx, tuning), k4 / allLanes) },
      ...normed && { before: waitsOfNorming(k4 / allLanes) },
    },
  };
}

/** Tells whether all rows that a form is used for are among the first so many. */
export function isFor({ rows, upTo = rows }: LinearForm, most: number): boolean {
  return upTo <= most;
}

/** Finds the first form whose groups hold all rows, or else the one with the largest groups. */
export function formFor<Form extends LinearForm>(forms: readonly Form[], nRows: number): Form {
  return forms.find(({ rows, upTo = rows }) => nRows <= upTo) ?? forms.at(-1)!;
}
