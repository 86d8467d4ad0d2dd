/**
 * The stages of GPT-2's forward pass: which kernels each one records for a batch, and what it results in.
 */
import { normsRows } from "../../wgsl/ops/linear/forms.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { Gpt2Config } from "../checkpoint/config.ts";
import type { Batch } from "./batch.ts";
import type { Dims } from "./dims.ts";
import { compiled, joinsSplits, type StepKernels } from "./kernels.ts";
import type { KvAccess, Stage } from "./model.ts";
import type { Tuning } from "./tuning.ts";
import type { Workspace } from "./workspace.ts";

/** The parts of a model that its stages depend on. */
interface StagedModel {
  readonly config: Gpt2Config;
  readonly dims: Dims;
  readonly tuning: Tuning;
}

/** Lists the stages of a forward pass in a workspace, in their order. */
export function stagesIn({ config, dims, tuning }: StagedModel, workspace: Workspace): Stage[] {
  const { e4, a4, i4, v4 } = dims;
  const { results } = workspace;
  const x = { of: results.x, width4: e4 }, normed = { of: results.normed, width4: e4 };
  const qkv = { of: results.qkv, width4: 3 * a4 }, attended = { of: results.attended, width4: a4 };
  const inner = { of: results.inner, width4: i4 };
  const inPassing = ({ nRows }: Batch) => normsRows(nRows, tuning);
  const norm = (group: GPUBindGroup, recorder: Recorder, batch: Batch, { norm }: StepKernels) => {
    if (!inPassing(batch)) compiled(norm).record(recorder, [group], batch);
  };
  const stages: Stage[] = [{
    module: "wte + wpe",
    result: x,
    record: (recorder, batch, { kernels }) =>
      kernels.embedding.forEach((kernel, i) => kernel.record(recorder, [workspace.embedding[i]!], batch)),
  }];
  for (const [layer, groups] of workspace.layers.entries()) {
    stages.push(
      {
        layer,
        module: "ln_1",
        result: normed,
        record: (recorder, batch, { kernels }) => norm(groups.ln1, recorder, batch, kernels),
      },
      {
        layer,
        module: "attn.c_attn",
        result: qkv,
        record: (recorder, batch, { kernels, bindGroups }) => {
          const stored = batch.nRows <= kernels.storedRows ? [bindGroups(layer).write] : [];
          const own = inPassing(batch) ? groups.qkvNormed! : groups.qkv;
          kernels.qkv.record(recorder, [own, ...stored], batch);
        },
      },
      {
        layer,
        module: "attn",
        result: attended,
        record: (recorder, batch, kv) => attend(recorder, workspace, batch, kv, layer),
      },
      {
        layer,
        module: "attn.c_proj",
        result: x,
        record: (recorder, batch, { kernels }) => {
          if (joinsSplits(batch, kernels.joinedRows)) {
            compiled(kernels.joinedProj).record(recorder, [groups.joinedProj!], batch);
          } else kernels.proj.record(recorder, [groups.proj], batch);
        },
      },
      {
        layer,
        module: "ln_2",
        result: normed,
        record: (recorder, batch, { kernels }) => norm(groups.ln2, recorder, batch, kernels),
      },
      {
        layer,
        module: "mlp.c_fc",
        result: inner,
        record: (recorder, batch, { kernels }) =>
          kernels.fc.record(recorder, [inPassing(batch) ? groups.fcNormed! : groups.fc], batch),
      },
      {
        layer,
        module: "mlp.c_proj",
        result: x,
        record: (recorder, batch, { kernels }) => kernels.out.record(recorder, [groups.out], batch),
      },
    );
  }
  stages.push({
    module: "ln_f",
    result: { of: results.final, width4: e4, ofOutputs: true },
    record: (recorder, batch, { kernels }) => {
      if (batch.nOutputs > 0) kernels.finalNorm.record(recorder, [workspace.lnF], batch);
    },
  }, {
    module: config.tieWordEmbeddings ? "the head, wte" : "lm_head",
    result: { of: results.logits, width4: v4, ofOutputs: true },
    record: (recorder, batch, { kernels }) => {
      if (batch.nOutputs === 0) return;
      const groups = batch.nOutputs <= tuning.chosenRows ? workspace.headBest! : workspace.head;
      kernels.head.forEach((kernel, i) => kernel.record(recorder, [groups[i]!], batch));
    },
  });
  return stages;
}

/** Records the attention of a layer, and what surrounds it. */
function attend(
  recorder: Recorder,
  workspace: Workspace,
  batch: Batch,
  { kernels, bindGroups, around }: KvAccess,
  layer: number,
): void {
  const groups = bindGroups(layer), { read, write } = groups;
  const { attentionCombine, rotate, rotateBack, attentionInput } = workspace;
  if (rotate) kernels.rotate?.record(recorder, [rotate], batch);
  const own = { recorder, layer, batch, qkv: attentionInput, groups };
  around?.before?.(own);
  if (batch.nRows > kernels.storedRows) {
    compiled(kernels.write).record(recorder, [workspace.kvWrite, write], batch);
  }
  around?.stored?.(own);
  if (batch.nPrefillTiles > 0) {
    compiled(kernels.prefill).record(recorder, [workspace.attentionPrefill, read], batch);
  }
  if (batch.nDecodeTiles > 0) {
    compiled(kernels.decode).record(recorder, [workspace.attentionDecode, read], batch);
    const joined = joinsSplits(batch, kernels.joinedRows);
    if (attentionCombine && !joined) kernels.combine?.record(recorder, [attentionCombine], batch);
  }
  around?.after?.(own);
  if (rotateBack) kernels.rotateBack?.record(recorder, [rotateBack], batch);
}
