/**
 * The permissions that each subcommand can't do without, as `--help`, the README and the tests have them.
 *
 * @module
 */
import { HUB_VARIABLES } from "../hub/settings.ts";

/**
 * Flags of `deno run` by subcommand, with the embedded model: `FILE` and `FOLDER` stand for what the command line names,
 * `CACHE` for the hub's cache.
 */
export const PERMISSIONS: Readonly<Record<string, readonly string[]>> = {
  bench: ["--allow-read=weights"],
  compare: ["--allow-read=FILE"],
  report: ["--allow-read=FILE"],
  generate: ["--allow-read=weights"],
  logits: ["--allow-read=weights,FOLDER", "--allow-write=FOLDER"],
  perplexity: ["--allow-read=weights,FILE"],
  profile: ["--allow-read=weights"],
  weights: ["--allow-read=CACHE", `--allow-env=${HUB_VARIABLES}`],
  doctor: ["--allow-read=weights"],
  selftest: ["--allow-read=weights"],
  serve: ["--allow-read=weights", "--allow-net=127.0.0.1"],
  load: ["--allow-net=HOST:PORT"],
  paper: ["--allow-read=weights"],
  "serve-sim": ["--allow-read=weights"],
};

/** Returns the flags of a subcommand, or none where no subcommand has that name. */
export function permissionFlags(name: string): readonly string[] {
  return PERMISSIONS[name] ?? [];
}
