/**
 * Orderly end on SIGINT and SIGTERM: the first one aborts a signal, so that measurements are written; a second one ends
 * the process at once. A worker watches, because this thread gets no signal while it waits for the GPU.
 */
import WORKER from "./signal_worker.js" with { type: "text" };

const SIGNALS: Partial<Record<Deno.Signal, number>> = Deno.build.os === "windows"
  ? { SIGINT: 2, SIGBREAK: 21 }
  : { SIGINT: 2, SIGTERM: 15 };

interface InterruptOptions {
  /** Time from the first signal to the forced end of the process, in ms. Default: unlimited. */
  readonly withinMs?: number;
}

/** A watch over the process's signals. */
export interface Interrupt {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Exit code of a shell for a process that a signal ended; 0 before any signal. */
  readonly exitCode: number;
  /** Sets the text that is printed on stderr if the process is ended by force. */
  lastWords(text: string): void;
  [Symbol.dispose](): void;
}

/** Watches until disposed of. */
export function watchInterrupts({ withinMs }: InterruptOptions = {}): Interrupt {
  const controller = new AbortController();
  let exitCode = 0;
  const interrupt = (name: string) => {
    exitCode = 128 + SIGNALS[name as Deno.Signal]!;
    controller.abort();
  };
  // Used until the worker watches; a handler here would then keep it from ending the process.
  const here = Object.keys(SIGNALS).map((name) => {
    const handler = () => interrupt(name);
    Deno.addSignalListener(name as Deno.Signal, handler);
    return () => Deno.removeSignalListener(name as Deno.Signal, handler);
  });
  const stopHere = () => here.splice(0).forEach((remove) => remove());
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(WORKER)}`, { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<{ watching?: true; signal?: string }>) => {
    if (data.watching) stopHere();
    if (data.signal !== undefined) interrupt(data.signal);
  };
  const showCursor = Deno.stderr.isTerminal();
  worker.postMessage({ watch: { signals: Object.keys(SIGNALS), withinMs, showCursor } });
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    lastWords: (text) => worker.postMessage({ lastWords: text }),
    [Symbol.dispose]() {
      stopHere();
      worker.terminate();
    },
  };
}
