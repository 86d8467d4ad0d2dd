// Watches the process's signals from a thread of its own, since the main thread is blocked while it waits for the GPU.
// It is run from its text, so that it needs no permission and no file. See interrupt.ts, which talks to it.
import process from "node:process";

/** Time for the signal's default to end the process, in ms. */
const DEFAULT_MS = 200;

let lastWords = "";
let received = false;

self.onmessage = ({ data }) => {
  if (data.lastWords !== undefined) lastWords = data.lastWords;
  if (data.watch !== undefined) watch(data.watch);
};

function watch({ signals, withinMs, showCursor }) {
  const handlers = signals.map((signal) => [signal, () => onSignal(signal)]);
  for (const [signal, handler] of handlers) Deno.addSignalListener(signal, handler);
  postMessage({ watching: true });

  function onSignal(signal) {
    if (received) return end(signal);
    received = true;
    postMessage({ signal });
    if (withinMs === undefined) return;
    setTimeout(() => {
      if (showCursor) console.error("\u001b[?25h");
      if (lastWords !== "") console.error(lastWords);
      end(signal);
    }, withinMs);
  }

  /** Ends the process as the signal would have done if nobody listened, or by force. */
  function end(signal) {
    for (const [name, handler] of handlers) Deno.removeSignalListener(name, handler);
    process.kill(process.pid, signal);
    setTimeout(() => process.kill(process.pid, "SIGKILL"), DEFAULT_MS);
  }
}
