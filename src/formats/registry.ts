/** The storage types by their names: the only place that lists them. */
import { KvbenchError } from "../base/errors.ts";
import { FLOAT16 } from "./float16.ts";
import { FLOAT32 } from "./float32.ts";
import type { KvStorage, StorageFormat, WeightStorage } from "./format.ts";
import { INT4, INT4_PLAIN } from "./int4.ts";
import { INT8 } from "./int8.ts";
import { W8A8 } from "./w8a8.ts";

/** The name of a storage type: a built-in one or one that was registered. */
export type Dtype = "f32" | "f16" | "int8" | "w8a8" | "int4" | "int4-plain" | (string & Record<never, never>);

const formats = new Map<Dtype, StorageFormat>();
const all: Dtype[] = [], ofWeights: Dtype[] = [], ofKv: Dtype[] = [];

/** Names of all storage types, from wide to narrow; registering a type adds to it. */
export const DTYPES: readonly Dtype[] = all;
/** Names of those that weight matrices can have. */
export const WEIGHT_DTYPES: readonly Dtype[] = ofWeights;
/** Names of those that K and V can have. */
export const KV_DTYPES: readonly Dtype[] = ofKv;
/** The storage type that options begin with, in which nothing is rounded. */
export const DEFAULT_DTYPE: Dtype = FLOAT32.name;

/** The storage type of half precision, which servers have by default. */
export const HALF_DTYPE: Dtype = FLOAT16.name;

/**
 * Adds a storage type, for options, results, checks and kernels alike.
 *
 * @throws {KvbenchError} If there is one of that name.
 */
export function registerFormat(format: StorageFormat): void {
  const { name, weights, kv } = format;
  if (formats.has(name)) throw new KvbenchError(`Storage type ${name} is there: expected another name`);
  formats.set(name, format);
  all.push(name);
  if (weights) ofWeights.push(name);
  if (kv) ofKv.push(name);
}

[FLOAT32, FLOAT16, INT8, W8A8, INT4, INT4_PLAIN].forEach(registerFormat);

/**
 * Finds a storage type.
 *
 * @throws {KvbenchError} If there is none of that name.
 */
export function formatOf(name: Dtype): StorageFormat {
  const format = formats.get(name);
  if (format) return format;
  throw new KvbenchError(`Storage type ${name} is unknown: expected one of ${all.join(", ")}`);
}

/**
 * Finds how a storage type keeps weight matrices.
 *
 * @throws {KvbenchError} If it can't.
 */
export function weightStorage(name: Dtype): WeightStorage {
  const { weights } = formatOf(name);
  if (weights) return weights;
  throw new KvbenchError(`Storage type ${name} is not for weights: expected one of ${ofWeights.join(", ")}`);
}

/**
 * Finds how a storage type keeps K and V.
 *
 * @throws {KvbenchError} If it can't.
 */
export function kvStorage(name: Dtype): KvStorage {
  const { kv } = formatOf(name);
  if (kv) return kv;
  throw new KvbenchError(`Storage type ${name} is not for K and V: expected one of ${ofKv.join(", ")}`);
}
