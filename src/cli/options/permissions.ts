/**
 * The permissions that each subcommand can't do without, as `--help`, `docs/guide.md` and the tests have them.
 */
import { fileURLToPath } from "node:url";
import { HOME, IS_BUNDLE } from "../../base/home.ts";
import { HUB_VARIABLES } from "../../hub/settings.ts";

/** The embedded model's folder, as the flags have it that are documented. */
const WEIGHTS = "weights";

/**
 * Flags of `deno run` by subcommand, with the embedded model, in a checkout: `FILE` and `FOLDER` stand for what the
 * command line names, `CACHE` for the hub's cache.
 */
export const PERMISSIONS: Readonly<Record<string, readonly string[]>> = {
  bench: ["--allow-read=weights"],
  ladder: ["--allow-read=weights"],
  compare: ["--allow-read=FILE"],
  report: ["--allow-read=FILE"],
  generate: ["--allow-read=weights"],
  logits: ["--allow-read=weights,FOLDER", "--allow-write=FOLDER"],
  perplexity: ["--allow-read=weights,FILE"],
  quality: ["--allow-read=weights,FILE"],
  profile: ["--allow-read=weights"],
  weights: ["--allow-read=CACHE", `--allow-env=${HUB_VARIABLES}`],
  doctor: ["--allow-read=weights"],
  selftest: ["--allow-read=weights"],
  serve: ["--allow-read=weights", "--allow-net=127.0.0.1"],
  load: ["--allow-net=HOST:PORT"],
  paper: ["--allow-read=weights"],
  "serve-sim": ["--allow-read=weights"],
};

/**
 * Flags of `deno run` for a subcommand of a program that is not a checkout's: from a server, weights are fetched from
 * there; of a bundle on disk, they are read beside it.
 *
 * @param home The folder of the program's own files.
 */
export function permissionsAt(name: string, home: URL): readonly string[] {
  const flags = PERMISSIONS[name] ?? [];
  if (home.protocol === "file:") {
    return flags.map((flag) => flag.replace(/(?<==)weights\b/, fileURLToPath(new URL(WEIGHTS, home))));
  }
  if (!flags.some((flag) => valuesOf(flag).includes(WEIGHTS))) return flags;
  const hosts = flags.filter((flag) => flag.startsWith("--allow-net=")).flatMap(valuesOf);
  const others = flags.flatMap((flag) => {
    if (flag.startsWith("--allow-net=")) return [];
    const values = valuesOf(flag).filter((value) => value !== WEIGHTS);
    return values.length === 0 ? [] : [`${flag.split("=", 1)[0]}=${values}`];
  });
  return [`--allow-net=${[home.host, ...hosts]}`, ...others];
}

function valuesOf(flag: string): string[] {
  return flag.slice(flag.indexOf("=") + 1).split(",");
}

/** Returns the flags of a subcommand of this program, or none where no subcommand has that name. */
export function permissionFlags(name: string): readonly string[] {
  const inCheckout = HOME.protocol === "file:" && !IS_BUNDLE;
  return inCheckout ? PERMISSIONS[name] ?? [] : permissionsAt(name, HOME);
}
