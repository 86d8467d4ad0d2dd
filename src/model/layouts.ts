/**
 * The roles of a model's kernels, what each of them binds, and the layouts of that. Compiles nothing.
 *
 * @module
 */
import { type Access, BindLayout } from "../gpu/bind_layout.ts";
import type { Dtype } from "../formats/registry.ts";
import type { Gpt2Config } from "../checkpoint/config.ts";
import { stepLayout } from "./step_tables.ts";
import type { Tuning } from "./tuning.ts";

/** What kernels do: their labels. */
export const ROLES = [
  "embedding",
  "norm",
  "qkv",
  "kv write",
  "attention prefill",
  "attention decode",
  "attention combine",
  "proj",
  "fc",
  "out",
  "final norm",
  "head",
  "argmax",
  "sample",
] as const;
/** What a kernel does. */
export type Role = typeof ROLES[number];

/**
 * How a kernel uses a binding. An `operand` is a weight matrix, or what another kernel handed on as its `result`: both
 * are texels where the tuning says so.
 */
export type Use = Access | "operand" | "result";

/** Uses of each kernel's own bindings, `@group(1)`, in the order of their numbers. */
export const BINDINGS = {
  embedding: { tokens: "read", x: "readWrite", weight: "operand", wpe: "read", scale: "read" },
  norm: { x: "read", y: "result", gamma: "read", beta: "read" },
  linear: { x: "operand", y: "readWrite", weight: "operand", bias: "read", scale: "read" },
  linearChained: { x: "operand", y: "result", weight: "operand", bias: "read", scale: "read" },
  kvWrite: { x: "operand" },
  attentionWhole: { x: "operand", y: "result" },
  attentionSplit: { x: "operand", partial: "readWrite" },
  attentionCombine: { partial: "read", y: "result" },
  attentionPrefill: { x: "operand", y: "result" },
  argmax: { logits: "read", tokens: "readWrite" },
  sample: { logits: "read", tokens: "readWrite", sampling: "read" },
} as const satisfies Record<string, Record<string, Use>>;

/** The layouts of `@group(1)` by kernel, and of `@group(0)`. */
export type Layouts =
  & { readonly [K in keyof typeof BINDINGS]: BindLayout<keyof typeof BINDINGS[K] & string> }
  & { readonly step: ReturnType<typeof stepLayout> };

/**
 * Creates the bind group layouts.
 *
 * @param tuning Says whether operands and results are texels.
 */
export function createLayouts(device: GPUDevice, tuning: Pick<Tuning, "texels">): Layouts {
  const bindings: [string, Record<string, Use>][] = Object.entries(BINDINGS);
  const entries = bindings.map((
    [name, uses],
  ) => [name, new BindLayout(device, name, accessesOf(uses, tuning))]);
  return { ...Object.fromEntries(entries), step: stepLayout(device) } as Layouts;
}

/** What every compilation of a kernel needs. */
export interface KernelContext {
  /** The device to compile for. */
  readonly device: GPUDevice;
  /** The bind group layouts. */
  readonly layouts: Layouts;
  /** The model's dimensions. */
  readonly config: Gpt2Config;
  /** The kernel variants. */
  readonly tuning: Tuning;
  /** How weight matrices are stored. */
  readonly weightsDtype: Dtype;
}

/** What uses come to with texels or without. */
function accessesOf<Name extends string>(
  uses: Readonly<Record<Name, Use>>,
  { texels }: Pick<Tuning, "texels">,
): Record<Name, Access> {
  const accesses = Object.entries<Use>(uses).map(([name, use]) => {
    if (use === "operand") return [name, texels ? "readTexels" : "read"];
    if (use === "result") return [name, texels ? "writeTexels" : "readWrite"];
    return [name, use];
  });
  return Object.fromEntries(accesses) as Record<Name, Access>;
}
