/**
 * Ending on SIGINT and SIGTERM in good order: the first one aborts a signal, so that what is measured is written; a
 * second one ends the process at once. A worker watches, since this thread hears nothing while it waits for the GPU.
 *
 * @module
 */
import WORKER from "./signal_worker.js" with { type: "text" };

const SIGNALS: Partial<Record<Deno.Signal, number>> = Deno.build.os === "windows"
  ? { SIGINT: 2, SIGBREAK: 21 }
  : { SIGINT: 2, SIGTERM: 15 };

/** How {@linkcode watchInterrupts} works. */
interface InterruptOptions {
  /** Time from the first signal until the process is ended, whatever it does, in ms. Default: as long as it takes. */
  readonly withinMs?: number;
}

/** A watch over the process's signals. */
export interface Interrupt {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** The exit code that a shell gives a process that a signal ended; 0 while there was none. */
  readonly exitCode: number;
  /** Sets what is printed on stderr where the process is ended because its time is up. */
  lastWords(text: string): void;
  /** Ends the watch. */
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
  // Until the worker watches; from then on nothing here may keep the worker from ending the process.
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
