/**
 * A rung that runs: one request, or several by continuous batching, from its ids to the GPU's last token. Where a rung's
 * own ids would differ from the ladder's, the ladder's are fed, so that every rung computes the same tokens.
 */
import { KvbenchError } from "../../base/errors.ts";
import { Decoder } from "../../engine/decoder.ts";
import { decodingKv } from "../../engine/decoding_kv.ts";
import { generateEagerly } from "../../engine/eager.ts";
import { GpuExecutor } from "../../engine/gpu_executor.ts";
import { assertChosen } from "../../engine/not_finite.ts";
import type { Runner } from "../../engine/runner.ts";
import { Scheduler } from "../../engine/scheduler/scheduler.ts";
import { DEFAULT_DTYPE } from "../../formats/registry.ts";
import type { Model } from "../../model/model.ts";
import type { Loop, RungSetup } from "./rungs.ts";

/** Most tokens of a step of continuous batching, as of `serve`. */
export const MOST_ROWS = 256;

/** The work of each sequence. */
export interface LadderWork {
  /** The prompt's ids. */
  readonly prompt: readonly number[];
  /** Tokens to generate. */
  readonly newTokens: number;
}

/** An id that takes the place of the one that a rung chose. */
export interface FedId {
  readonly sequence: number;
  readonly position: number;
  readonly id: number;
}

/** A run of a rung. */
export interface RungRun {
  /** Time from the prompt's ids to the last token. */
  readonly ms: number;
  /** Time before each token after the first; null where no token is awaited. */
  readonly gaps: readonly number[] | null;
  /** New ids: [batch][new tokens]. */
  readonly ids: number[][];
}

/** A rung with its memory and kernels. Dispose of it when done. */
export interface OpenRung {
  readonly runner: Runner;
  /** Runs once. */
  run(fed: readonly FedId[]): Promise<RungRun>;
}

/**
 * Compiles a rung's kernels and allocates what it keeps.
 *
 * @throws {KvbenchError} If a kernel does not compile or a buffer is too large.
 */
export async function openRung(model: Model, setup: RungSetup, work: LadderWork): Promise<OpenRung> {
  return await OPEN[setup.loop](model, setup, work);
}

const OPEN: Readonly<Record<Loop, typeof openRung>> = {
  awaited: async (model, setup, work) => {
    const decoder = await decoderOf(model, setup, work);
    const run = async (fed: readonly FedId[]): Promise<RungRun> => {
      if (fed.length > 0) {
        throw new Error("An awaited loop is fed no ids: expected its own to be the ladder's");
      }
      const times: number[] = [];
      await model.gpu.fence.wait();
      const start = performance.now();
      const ids = await generateEagerly(decoder, { ...work, onToken: () => times.push(performance.now()) });
      const gaps = times.slice(1).map((at, i) => at - times[i]!);
      return { ms: times.at(-1)! - start, gaps, ids: [ids] };
    };
    return { runner: decoder.runner, run };
  },

  ahead: async (model, setup, work) => {
    const decoder = await decoderOf(model, setup, work), { prompt, newTokens } = work;
    const run = async (fed: readonly FedId[]): Promise<RungRun> => {
      const ms = await fenced(model, () => {
        decoder.begin([prompt]);
        for (const { sequence, position, id } of fed) {
          decoder.advance(position + 1 - decoder.lengths[sequence]!);
          decoder.runner.writeTokens(sequence, position, [id]);
        }
        decoder.advance(prompt.length + newTokens - decoder.lengths[0]!);
      });
      return { ms, gaps: null, ids: await decoder.ids(prompt.length) };
    };
    return { runner: decoder.runner, run };
  },

  continuous: async (model, setup, { prompt, newTokens }) => {
    const { batch } = setup, { nCtx } = model.config;
    const maxTokens = prompt.length + newTokens, maxRows = Math.max(batch, MOST_ROWS);
    const kv = decodingKv(model.config, { ...setup.kv, nSequences: batch, maxTokens });
    const executor = await GpuExecutor.create(model, kv, {
      maxSequences: batch,
      maxRows,
      sampled: false,
      movesSlots: false,
      promptOf: () => prompt,
    });
    const { runner } = executor;
    const run = async (fed: readonly FedId[]): Promise<RungRun> => {
      const numbers: number[] = [];
      const ms = await fenced(model, async () => {
        const scheduler = new Scheduler(kv.policy, {
          nCtx,
          maxSequences: batch,
          maxRows,
          preemption: "recompute",
        });
        for (let id = 0; id < batch; id++) scheduler.submit({ id, promptTokens: prompt.length, newTokens });
        for (let step = scheduler.step(); step !== undefined; step = scheduler.step()) {
          await executor.enqueue(step);
          for (const { request, sequences } of step.admitted) numbers[request.id] = sequences[0]!.number;
          if (fed.length === 0) continue;
          const chosen = step.spans.filter(({ outputs }) => outputs.length > 0).map((
            { sequence, first, count },
          ) => ({
            sequence: sequence.group.request.id,
            position: first + count,
          }));
          const due = fed.filter((each) =>
            chosen.some(({ sequence, position }) => sequence === each.sequence && position === each.position)
          );
          if (due.length > 0) runner.submit();
          for (const { sequence, position, id } of due) {
            runner.writeTokens(numbers[sequence]!, position, [id]);
          }
        }
        runner.submit();
      });
      const ids = await runner.tokens(
        numbers.map((number) => ({ sequence: number, first: prompt.length, count: newTokens })),
      );
      for (const own of ids) await assertChosen(model, [...prompt, ...own], DEFAULT_DTYPE);
      return { ms, gaps: null, ids };
    };
    return { runner, run };
  },
};

function decoderOf(
  model: Model,
  { kv, batch }: RungSetup,
  { prompt, newTokens }: LadderWork,
): Promise<Decoder> {
  const size = {
    nSequences: batch,
    maxPromptTokens: prompt.length,
    maxTokens: prompt.length + newTokens,
    sampled: false,
  };
  return Decoder.create(model, decodingKv(model.config, { ...kv, ...size }), size);
}

/** Returns how long `work` takes from a fence to a fence, in ms. */
async function fenced({ gpu: { fence } }: Model, work: () => void | Promise<void>): Promise<number> {
  await fence.wait();
  const start = performance.now();
  await work();
  await fence.wait();
  return performance.now() - start;
}

/**
 * Finds out which of the ladder's ids a rung has to be fed: those that it would not have chosen itself, given all
 * before them.
 *
 * @param ids New ids of the ladder.
 * @throws {KvbenchError} If it has to be fed any and is exact.
 */
export async function idsToFeed(
  { run }: Pick<OpenRung, "run">,
  { name, exact }: { readonly name: string; readonly exact: boolean },
  { ids, firstPosition }: { readonly ids: readonly number[]; readonly firstPosition: number },
): Promise<FedId[]> {
  const fed: FedId[] = [];
  for (;;) {
    const own = (await run(fed)).ids, wrong = differences(own, ids);
    if (wrong.length === 0) return fed;
    if (exact) throw disagreement(name, own, ids);
    fed.push(...wrong.map(({ sequence, at }) => ({ sequence, position: firstPosition + at, id: ids[at]! })));
    fed.sort((a, b) => a.position - b.position);
  }
}

/**
 * Checks what a run has generated, before its time is kept.
 *
 * @throws {KvbenchError} If it is not the ladder's ids.
 */
export function assertLadderIds(
  name: string,
  own: readonly (readonly number[])[],
  ids: readonly number[],
): void {
  if (differences(own, ids).length > 0) throw disagreement(name, own, ids);
}

/** Lists the first new token of each sequence that is not the ladder's. */
function differences(
  own: readonly (readonly number[])[],
  ids: readonly number[],
): { readonly sequence: number; readonly at: number }[] {
  return own.map((chosen, sequence) => ({ sequence, at: ids.findIndex((id, i) => chosen[i] !== id) }))
    .filter(({ at }) => at >= 0);
}

function disagreement(
  name: string,
  own: readonly (readonly number[])[],
  ids: readonly number[],
): KvbenchError {
  const { sequence, at } = differences(own, ids)[0]!;
  return new KvbenchError(
    `The rungs disagree, so no time is reported: at new token ${at + 1}, expected ${
      ids[at]
    }, and rung ${name} ` +
      `chose ${own[sequence]![at]}`,
  );
}
