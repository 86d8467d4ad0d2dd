/**
 * Operators of a strategy around the attention of each layer: dispatches of its own before and after it, memory of its own
 * beside the pool's, and what attention reads in place of the pool. Most strategies have none.
 */
import type { Access, BindLayout } from "../gpu/bind_layout.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { LedgerBuffer, LedgerVectors } from "../gpu/ledger.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { WgslFile } from "../gpu/wgsl.ts";
import type { KvLayer } from "./layer.ts";
import type { KvLayout } from "./layout.ts";
import type { KvPolicy } from "./policy.ts";
import type { KvShape } from "./shape.ts";
import type { KvGroups } from "./source.ts";

/** The tables of a step that operators' grids and costs depend on; see `step.wgsl`. */
export interface KvBatch {
  /** Rows to compute. */
  readonly nRows: number;
  /** Tiles of several rows. */
  readonly nPrefillTiles: number;
  /** Tiles of one row, which come after those. */
  readonly nDecodeTiles: number;
  /** [nRows, 2] sequence, position */
  readonly rows: Uint32Array;
  /** [nPrefillTiles + nDecodeTiles, 4] first row, rows, sequence, first position */
  readonly tiles: Uint32Array;
}

/** The model's part in operators that a strategy compiles. */
export interface KvModel {
  /** The device and its ledger. */
  readonly gpu: Gpu;
  /** The layouts of `@group(0)`, the tables of a step, and of an operator's own bindings. */
  readonly layouts: {
    readonly step: BindLayout;
    of<Name extends string>(uses: Readonly<Record<Name, Access | "operand" | "result">>): BindLayout<Name>;
  };
  /** Layers. */
  readonly nLayer: number;
  /** Heads of a layer. */
  readonly nHead: number;
  /** Width of a head. */
  readonly headDim: number;
  /** The model's context, in tokens. */
  readonly nCtx: number;
  /** Lanes of a workgroup that goes through entries. */
  readonly lanes: number;
  /** The file that provides `x`, by which kernels read queries, keys and values. */
  readonly input: WgslFile;
}

/** The surroundings of a strategy's operators. */
export interface KvAroundContext extends KvModel {
  /** The strategy's policy. */
  readonly policy: KvPolicy;
  /** The dimensions of K and V, and the number of sequences. */
  readonly shape: KvShape;
  /** The pool: its layout, which makes and binds further layers, and its layers. */
  readonly pool: {
    readonly layout: KvLayout;
    readonly layers: readonly KvLayer[];
    /** The table of the layers' slots. */
    readonly table: LedgerBuffer;
    bindGroups(layer: number): KvGroups;
  };
}

/** The attention of one layer in a step that is being recorded. */
export interface KvAttention {
  /** Takes dispatches; `@group(0)` is bound to the step's tables. */
  readonly recorder: Recorder;
  /** The layer. */
  readonly layer: number;
  /** The step. */
  readonly batch: KvBatch;
  /** Queries, keys and values of the step's rows: [rows, 3, H, D4]. */
  readonly qkv: LedgerVectors;
  /** The layer's K and V as attention binds them. */
  readonly groups: KvGroups;
}

/** The least that dispatches must do: every input is read once and every output written once. */
export interface KvCost {
  /** Bytes that they must read and write. */
  readonly bytes: number;
  /** Multiply-adds. */
  readonly macs: number;
}

/** Operators around attention, compiled, with their memory. Members that are absent record nothing. */
export interface KvAround {
  /** Bytes of K and V that it holds beside the pool's. */
  readonly kvBytes: number;
  /** True if it submits the recorder within a step. Default: false. */
  readonly submitsWithin?: boolean;
  /** Returns what the next step has to wait for before it is recorded, or undefined for nothing. Default: nothing. */
  ready?(): Promise<void> | undefined;
  /** Called before a step is recorded. */
  begin?(batch: KvBatch): void;
  /** Returns what holds a layer's K and V in the step. Default: the pool. */
  bindGroups?(layer: number): KvGroups;
  /** Records before K and V of the step's rows are stored. */
  before?(attention: KvAttention): void;
  /** Records when they are stored, before attention. */
  stored?(attention: KvAttention): void;
  /** Records after attention. */
  after?(attention: KvAttention): void;
  /**
   * Called when a step is recorded.
   *
   * @param submit Hands to the GPU what is recorded, so that memory which that uses may be freed.
   */
  end?(batch: KvBatch, submit: () => void): void;
  /** Reads the positions of the tokens that a sequence keeps, where heads keep different ones: [layer][head][tokens]. */
  kept?(sequence: number): Promise<number[][][]>;
  /** Computes what its kernels cost in a step, by their labels; what is not dispatched is not in it. */
  costs(batch: KvBatch): Readonly<Record<string, KvCost>>;
  /** Frees its memory. */
  dispose(): void;
}

/** Bytes that operators around attention take at most, beside the pool. */
interface KvAroundBytes {
  /** K and V. */
  readonly kv: number;
  /** The largest buffer or texture of it. */
  readonly largestKv: number;
  /** Tables, scores and the like. */
  readonly other: number;
  /** In host memory. Default: 0. */
  readonly host?: number;
}

/** A strategy's operators around attention, to be made. */
export interface KvAroundDef {
  /** Computes the memory that they take at most. */
  bytes(shape: KvShape, nLayer: number): KvAroundBytes;
  /**
   * Compiles them, and allocates what they keep.
   *
   * @throws {KvbenchError} If a kernel does not compile or a buffer is too large.
   */
  create(context: KvAroundContext): Promise<KvAround>;
}
