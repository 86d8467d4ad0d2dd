/**
 * A peer's process, as its parent sees it: started, asked one question at a time, and ended. Of what it writes besides
 * its answers, an error or else the last line is kept for when it fails.
 */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ReadableStream as NodeStream } from "node:stream/web";
import { fileURLToPath } from "node:url";
import { ANSWER, type Answer, type Job, type Question, type Ready } from "./peer.ts";

/** The longest that a question may take. */
const MOST_MS = 300_000;

/** A process that could not do its part; the message says why. */
export class PeerError extends Error {}

/** A peer's process that is ready. */
export class Child implements AsyncDisposable {
  /** The first answer. */
  readonly ready: Ready;
  readonly #process: Deno.ChildProcess;
  readonly #answers: Answers;

  private constructor(process: Deno.ChildProcess, answers: Answers, ready: Ready) {
    this.#process = process;
    this.#answers = answers;
    this.ready = ready;
  }

  /**
   * Starts a module and waits until it has loaded its model.
   *
   * @param module The module, beside this one; its folder's `deno.json` names its packages.
   * @throws {PeerError} If it fails.
   */
  static async start(module: string, job: Job): Promise<Child> {
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--quiet",
        "-A",
        fileURLToPath(new URL(module, import.meta.url)),
        JSON.stringify(job),
      ],
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const answers = answersOf(process);
    try {
      const { is, ...ready } = await next(process, answers);
      if (is !== "ready") throw new PeerError(`It began with "${is}", expected "ready"`);
      return new Child(process, answers, ready as Ready);
    } catch (error) {
      await end(process);
      throw error;
    }
  }

  /**
   * Asks a question.
   *
   * @throws {PeerError} If the process fails, or does not answer in time.
   */
  async ask<Is extends Answer["is"]>(question: Question, expected: Is): Promise<Extract<Answer, { is: Is }>> {
    const writer = this.#process.stdin.getWriter();
    await writer.write(new TextEncoder().encode(`${JSON.stringify(question)}\n`)).catch(() => {}); // told by the answer
    writer.releaseLock();
    const answer = await next(this.#process, this.#answers);
    if (answer.is !== expected) throw new PeerError(`It answered "${answer.is}", expected "${expected}"`);
    return answer as Extract<Answer, { is: Is }>;
  }

  /** Reads the most memory that the process has had, in bytes; null where the system does not tell. */
  async peakBytes(): Promise<number | null> {
    const status = await Deno.readTextFile(`/proc/${this.#process.pid}/status`).catch(() => "");
    const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#process);
  }
}

/** Answers in their order, and what was said besides. */
interface Answers {
  readonly lines: AsyncIterator<string>;
  lastWords(): Promise<string>;
}

function answersOf(process: Deno.ChildProcess): Answers {
  let last = "", error = "";
  const lines = (stream: ReadableStream<Uint8Array>) =>
    createInterface({ input: Readable.fromWeb(stream as NodeStream), crlfDelay: Infinity });
  const heard = (async () => {
    for await (const line of lines(process.stderr)) {
      last = line.trim() || last;
      if (/^error\b/.test(last)) error ||= last;
    }
  })();
  return {
    lines: lines(process.stdout)[Symbol.asyncIterator](),
    lastWords: async () => {
      await heard;
      return error || last;
    },
  };
}

async function next(process: Deno.ChildProcess, { lines, lastWords }: Answers): Promise<Answer> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    kill(process);
  }, MOST_MS);
  try {
    for (;;) {
      const { value, done } = await lines.next();
      if (late) throw new PeerError(`It took more than ${MOST_MS / 1000} s`);
      if (done) throw new PeerError(`Its process ended: ${await lastWords() || "without a word"}`);
      if (!value.startsWith(ANSWER)) continue;
      const answer: Answer = JSON.parse(value.slice(ANSWER.length));
      if (answer.is === "failed") throw new PeerError(answer.reason);
      return answer;
    }
  } finally {
    clearTimeout(timer);
  }
}

async function end(process: Deno.ChildProcess): Promise<void> {
  kill(process);
  await process.stdin.close().catch(() => {}); // it may be gone already
  await process.status;
}

function kill(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGKILL");
  } catch {
    // It has ended.
  }
}
