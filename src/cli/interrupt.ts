/**
 * Ending on SIGINT and SIGTERM in good order: the first one aborts a signal, so that what is measured is written; a
 * second one ends the process at once.
 *
 * @module
 */

const SIGNALS: Partial<Record<Deno.Signal, number>> = Deno.build.os === "windows"
  ? { SIGINT: 2, SIGBREAK: 21 }
  : { SIGINT: 2, SIGTERM: 15 };

/** A watch over the process's signals. */
export interface Interrupt {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** The exit code that a shell gives a process that a signal ended; 0 while there was none. */
  readonly exitCode: number;
  /** Ends the watch. */
  [Symbol.dispose](): void;
}

/** Watches until disposed of. */
export function watchInterrupts(): Interrupt {
  const controller = new AbortController();
  let exitCode = 0;
  const handlers = Object.entries(SIGNALS).map(([name, number]) => {
    const handler = () => {
      if (controller.signal.aborted) Deno.exit(128 + number);
      exitCode = 128 + number;
      controller.abort();
    };
    Deno.addSignalListener(name as Deno.Signal, handler);
    return () => Deno.removeSignalListener(name as Deno.Signal, handler);
  });
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    [Symbol.dispose]() {
      for (const remove of handlers) remove();
    },
  };
}
