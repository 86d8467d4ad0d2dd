/**
 * Finding where infinity or NaN comes from once logits are not finite: computes the sequence again, operator by
 * operator, and looks at each result. Nothing of it is done while all is well.
 */
import { NotFiniteError, reasonOf } from "../base/errors.ts";
import type { Dtype } from "../formats/registry.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { readBuffer, readTexels } from "../gpu/readback.ts";
import { Recorder } from "../gpu/recorder.ts";
import { KvPool } from "../kv/pool.ts";
import { recomputingStrategy } from "../kv/registry.ts";
import { type Batch, batchOf } from "../model/batch.ts";
import { firstNotFinite, NOT_FINITE } from "../base/finite.ts";
import type { Model, Stage } from "../model/model.ts";
import { StepTables } from "../model/step_tables.ts";
import { decodingKv } from "./decoding_kv.ts";

/**
 * The error for logits that are not finite, with the first layer in which a value is not. Never throws: where that
 * can't be found out, the error says why.
 *
 * @param ids The tokens up to the one whose logits are not finite.
 * @param kvDtype How K and V were stored.
 */
export async function notFiniteError(
  model: Model,
  ids: readonly number[],
  kvDtype: Dtype,
): Promise<NotFiniteError> {
  const fact = `The logits after token ${ids.length} are not finite`;
  const remedy = "check the weights and, with kvbench selftest, the adapter";
  try {
    const found = await firstIn(model, ids, kvDtype);
    if (found === undefined) {
      return new NotFiniteError(
        `${fact}, but a second computation gives finite ones: expected the same result twice, ${remedy}`,
      );
    }
    const { operator: { layer, module }, value, token } = found;
    const where = layer === undefined ? module : `layer ${layer}, h.${layer}.${module}`;
    return new NotFiniteError(
      `${fact}: expected numbers, and ${value} appears first in ${where}, at token ${token}; ${remedy}`,
    );
  } catch (error) {
    return new NotFiniteError(
      `${fact}: expected numbers, and the first layer without them could not be found (${
        reasonOf(error)
      }); ${remedy}`,
    );
  }
}

/**
 * Checks that every token of a sequence could be chosen.
 *
 * @throws {NotFiniteError} If one could not, since a logit is infinite or NaN.
 */
export async function assertChosen(model: Model, ids: readonly number[], kvDtype: Dtype): Promise<void> {
  const bad = ids.indexOf(NOT_FINITE);
  if (bad >= 0) throw await notFiniteError(model, ids.slice(0, bad), kvDtype);
}

/** The place of a value that is not finite. */
interface Found {
  readonly operator: Stage;
  readonly value: number;
  /** The token of its row, counted from 1. */
  readonly token: number;
}

/** The first operator of a forward pass over `ids` whose result is not finite. */
async function firstIn(own: Model, ids: readonly number[], dtype: Dtype): Promise<Found | undefined> {
  const model = own.unfused();
  const { gpu, config, dims, tuning: { texels } } = model;
  const limits = { maxRows: ids.length, maxSpans: 1, maxOutputs: 1 };
  const { policy, addressing } = decodingKv(config, {
    strategy: recomputingStrategy().name,
    nSequences: 1,
    maxTokens: ids.length,
  });
  const { kv, workspace, tables } = gpu.ledger.allOrNone(() => {
    const kv = KvPool.allocate(gpu, {
      shape: { nHead: config.nHead, a4: dims.a4, dtype, nSequences: 1, texels },
      addressing,
      nSlots: policy.nSlots,
      movesSlots: false,
    });
    const workspace = model.workspace(limits, kv.source);
    return { kv, workspace, tables: new StepTables(gpu, model.stepLayout, limits, 1) };
  });
  try {
    const kernels = await model.stepKernels(kv.source);
    const batch = batchOf([{ sequence: 0, first: 0, count: ids.length, outputs: 1 }]);
    const recorder = new Recorder(gpu.device);
    recorder.share(tables.group, tables.set(0, batch));
    tables.upload(1);
    gpu.device.queue.writeBuffer(workspace.tokens.buffer, 0, Uint32Array.from(ids));
    const access = {
      kernels,
      entries: (length: number) => length,
      bindGroups: (layer: number) => kv.bindGroups(layer),
    };
    let layer: number | undefined;
    let results: Promise<Found | undefined>[] = []; // of one layer: awaiting each would take its own 11 ms
    for (const operator of model.stages(workspace)) {
      if (operator.layer !== layer) {
        const found = await first(results);
        if (found) return found;
        results = [];
        layer = operator.layer;
      }
      operator.record(recorder, batch, access);
      recorder.submit();
      const found = foundIn(gpu, operator, batch);
      found.catch(() => {}); // reported when its turn comes
      results.push(found);
    }
    return await first(results);
  } finally {
    tables.dispose();
    workspace.dispose();
    kv.dispose();
  }
}

/** The first that was found, after all that was looked at, whose buffers may be freed then. */
async function first(results: readonly Promise<Found | undefined>[]): Promise<Found | undefined> {
  for (const result of await Promise.allSettled(results)) {
    if (result.status === "rejected") throw result.reason;
    if (result.value) return result.value;
  }
  return undefined;
}

/** Looks at a result. Its copy is submitted before this returns a promise. */
async function foundIn(
  gpu: Gpu,
  operator: Stage,
  { nRows, nOutputs }: Batch,
): Promise<Found | undefined> {
  const { of: vectors, width4, ofOutputs = false } = operator.result;
  const rows = ofOutputs ? nOutputs : nRows;
  const bytes = "buffer" in vectors
    ? await readBuffer(gpu, vectors.buffer, 0, rows * width4 * 16)
    : await readTexels(gpu, vectors);
  const values = new Float32Array(bytes, 0, rows * width4 * 4);
  const at = firstNotFinite(values);
  if (at === undefined) return undefined;
  const row = Math.floor(at / (4 * width4));
  return { operator, value: values[at]!, token: nRows - rows + row + 1 };
}
