/** Progress of a download. */
import type { FetchEvents } from "../../hub/fetch_blob.ts";
import { formatBytes } from "../../report/units.ts";
import type { ProgressBar } from "./progress.ts";

/** Shows a download on `bar`: a bar per file, and a line where it has to wait or to try again. */
export function fetchProgress(bar: ProgressBar): FetchEvents {
  let shown = "", waiting = "";
  return {
    begin: (address, bytes) => {
      bar.say(`Downloading ${address} (${formatBytes(bytes)}) once, for this and later runs`);
    },
    progress: (path, received, total) => {
      if (shown !== path) bar.start(`Downloading ${path}`, total, "bytes", received);
      else bar.update(received);
      shown = path;
    },
    wait: (path) => {
      if (waiting === path) return;
      bar.stop();
      bar.say(`Waiting for another process, which is downloading ${path}`);
      waiting = path;
    },
    retry: (reason, pauseMs) => {
      shown = "";
      bar.stop();
      bar.say(`${reason}. Trying again in ${Math.ceil(pauseMs / 100) / 10} s`);
    },
  };
}
