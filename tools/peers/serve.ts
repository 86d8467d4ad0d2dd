/**
 * The side of a peer's process: loads the peer, then answers the questions that come on the standard input, one a line.
 */
import { createInterface } from "node:readline";
import { stdin } from "node:process";
import {
  ANSWER,
  type Answer,
  type Job,
  MOST_PROMPT,
  MOST_STEPS,
  type Peer,
  promptOf,
  type Question,
  type Ready,
  type Sequence,
} from "./peer.ts";

/** Milliseconds that the steps of a turn should take together. */
const TURN_MS = 1000;

/** Something that answers questions. */
export interface Desk {
  readonly ready: Ready;
  answer(question: Question): Promise<Answer>;
}

/** Serves a peer that `load` makes of the job in the first argument, until the input ends. */
export function serve(load: (job: Job) => Promise<Peer>): Promise<never> {
  return answerQuestions(async (job) => {
    const peer = await load(job);
    return new PeerDesk(peer, await peer.open(MOST_PROMPT, MOST_PROMPT + MOST_STEPS + 1), job);
  });
}

/** Answers with what `load` makes of the job in the first argument, until the input ends. */
export async function answerQuestions(load: (job: Job) => Promise<Desk>): Promise<never> {
  try {
    const desk = await load(JSON.parse(Deno.args[0]!));
    say({ is: "ready", ...desk.ready });
    for await (const line of createInterface({ input: stdin })) {
      say(await desk.answer(JSON.parse(line)));
    }
    Deno.exit(0); // some packages keep the process alive
  } catch (error) {
    const [reason = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    say({ is: "failed", reason });
    Deno.exit(1);
  }
}

/** Answers questions with one sequence, which every prefill begins anew. */
class PeerDesk implements Desk {
  readonly ready: Ready;
  readonly #peer: Peer;
  readonly #sequence: Sequence;
  readonly #vocabSize: number;
  /** Milliseconds of the last step, after which the number of a turn's steps is chosen. */
  #stepMs: number | undefined;

  constructor(peer: Peer, sequence: Sequence, { config }: Job) {
    const { version, runs_on, kv } = this.#peer = peer;
    this.ready = { version, runs_on, kv };
    this.#sequence = sequence;
    this.#vocabSize = config.vocabSize;
  }

  async answer(question: Question): Promise<Answer> {
    switch (question.ask) {
      case "logits": {
        const logits = await this.#sequence.logits!(question.prompt, question.further);
        return finite(logits);
      }
      case "product": {
        const product = await this.#peer.product!(question.name, question.row);
        return finite(product);
      }
      case "prefill": {
        const prompt = promptOf(question.tokens, this.#vocabSize);
        return { is: "time", ms: await timed(() => this.#sequence.begin(prompt)), steps: 1 };
      }
      case "decode": {
        const steps = Math.max(1, Math.min(MOST_STEPS, Math.floor(TURN_MS / (this.#stepMs ?? TURN_MS))));
        const ms = this.#stepMs = await timed(() => this.#sequence.generate(steps)) / steps;
        return { is: "time", ms, steps };
      }
    }
  }
}

/** Makes an answer of values; JSON has none that are not finite. */
function finite(values: ArrayLike<number>): Answer {
  const all = Array.from(values), bad = all.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return { is: "values", values: all };
  return { is: "failed", reason: `Value ${bad} of ${all.length} is ${all[bad]}, expected finite ones` };
}

async function timed(body: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await body();
  return performance.now() - start;
}

function say(answer: Answer): void {
  const bytes = new TextEncoder().encode(`${ANSWER}${JSON.stringify(answer)}\n`);
  for (let sent = 0; sent < bytes.length;) sent += Deno.stdout.writeSync(bytes.subarray(sent));
}
