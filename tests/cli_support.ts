/**
 * What tests of the command line share: running `mod.ts` as a child with the least permissions, and the golden
 * cases that its output is held against.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import "../mod.ts"; // so that its packages are in the cache, which is all that children may use
import "@huggingface/tokenizers"; // so is the one that mod.ts imports where it is needed
import { type BenchResult, parseResult } from "../src/measure/record/result.ts";
import { permitted } from "./permitted.ts";

/** Whether tests of the command line must be left out. */
export const ignore = !permitted("read", "write", "run", "env");

/** `mod.ts` as a path. */
export const MOD = pathOf("../mod.ts");
/** The embedded checkpoint's folder. */
export const WEIGHTS = pathOf("../weights");
/** A checkpoint with awkward dimensions and no tokenizer. */
export const RANDOM_SMALL = pathOf("golden/random-small-checkpoint");

/** What drawing charts needs besides {@link CHART_READS}. */
export const CHART_FLAGS: readonly string[] = [
  "--allow-ffi",
  "--allow-env=DISABLE_SYSTEM_FONTS_LOAD,NAPI_RS_FORCE_WASI,NAPI_RS_NATIVE_LIBRARY_PATH",
];
/** What drawing charts reads. */
export const CHART_READS: readonly string[] = Deno.build.os === "linux" ? ["/usr/bin/ldd"] : [];

/** How {@link kvbench} runs. */
export interface RunOptions {
  /** Permission flags; without them, read permission for the embedded weights alone. */
  readonly flags?: readonly string[];
  /** Folders that may be read besides. */
  readonly read?: readonly string[];
  /** A folder that may be read and written besides. */
  readonly write?: string;
  /** Whether charts may be drawn. */
  readonly charts?: boolean;
  /** What comes on stdin, which is empty otherwise. */
  readonly stdin?: string | Uint8Array<ArrayBuffer>;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Files that the process may open at most; where left out, as many as this process. */
  readonly openFiles?: number;
  /** Takes the first line of stdout of a server; when it is done, a signal ends the server. */
  readonly whenReady?: (line: string) => Promise<void>;
}

/** What a run left behind. */
export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** How many pieces stdout came in. */
  readonly pieces: number;
}

/** Runs `kvbench` with these arguments. */
export async function kvbench(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { read = [], write, charts = false, stdin = "", env = {}, cwd, openFiles, whenReady } = options;
  const readable = [
    WEIGHTS,
    ...read,
    ...(write === undefined ? [] : [write]),
    ...(charts ? CHART_READS : []),
  ];
  const flags = options.flags ?? [
    `--allow-read=${readable.join(",")}`,
    ...(write === undefined ? [] : [`--allow-write=${write}`]),
    ...(charts ? CHART_FLAGS : []),
  ];
  // The canvas is the one package that is fetched when it is needed.
  const cached = flags.includes("--allow-ffi") ? [] : ["--cached-only"];
  return await runDeno(["run", "--no-prompt", ...cached, ...flags, MOD, ...args], {
    stdin,
    env,
    cwd,
    openFiles,
    whenReady,
  });
}

/** Runs Deno itself. */
export async function runDeno(
  args: readonly string[],
  { stdin = "", env = {}, cwd, openFiles, whenReady }: {
    readonly stdin?: string | Uint8Array<ArrayBuffer>;
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string | undefined;
    readonly openFiles?: number | undefined;
    readonly whenReady?: RunOptions["whenReady"] | undefined;
  },
): Promise<RunResult> {
  const [program, before] = openFiles === undefined
    ? [Deno.execPath(), []]
    : ["sh", ["-c", `ulimit -n ${openFiles}; exec "$@"`, "sh", Deno.execPath()]];
  const child = new Deno.Command(program, {
    args: [...before, ...args],
    // Where XDG_RUNTIME_DIR is unset, the software driver complains on stderr.
    env: { NO_COLOR: "1", XDG_RUNTIME_DIR: Deno.env.get("XDG_RUNTIME_DIR") ?? "/tmp", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    ...(cwd !== undefined && { cwd }),
  }).spawn();
  const send = async () => {
    try {
      await new Blob([stdin]).stream().pipeTo(child.stdin);
    } catch {
      // A child that needs no stdin may have ended by now.
    }
  };
  const [out, err, { code }] = await Promise.all([
    readAll(child, whenReady),
    new Response(child.stderr).text(),
    child.status,
    send(),
  ]);
  const { pieces, failure } = out;
  if (failure !== undefined) {
    throw new Error(`With exit code ${code} and stderr "${err}"`, { cause: failure });
  }
  return { code, stdout: pieces.join(""), stderr: err, pieces: pieces.length };
}

/** The pieces of a child's stdout; of a server, the child is ended when `whenReady` is done, or has failed. */
async function readAll(
  child: Deno.ChildProcess,
  whenReady: RunOptions["whenReady"],
): Promise<{ readonly pieces: string[]; readonly failure?: unknown }> {
  const pieces: string[] = [];
  let ready: Promise<void> | undefined, failure: unknown;
  for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
    pieces.push(piece);
    const text = pieces.join("");
    if (whenReady === undefined || ready !== undefined || !text.includes("\n")) continue;
    ready = whenReady(text).catch((error) => failure = error).then(() => {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended by itself: its exit code and stderr tell why.
      }
    });
  }
  await ready;
  return { pieces, failure };
}

/** A bench result that is in a file. */
export async function resultAt(path: string): Promise<BenchResult> {
  return parseResult(JSON.parse(await Deno.readTextFile(path)), path);
}

/** Waits. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Starts kvbench, which may write beside `path`, sends it `signal` once `isTime` says so, and waits for its end.
 *
 * @param withinMs Time after the signal in which it must end; then it is killed. Default: unlimited.
 */
export async function signalled(
  signal: Deno.Signal,
  args: readonly string[],
  path: string,
  isTime: () => Promise<boolean>,
  withinMs?: number,
): Promise<Deno.CommandStatus & { readonly stderr: string; readonly tookMs: number }> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const permissions = [`--allow-read=${WEIGHTS},${folder}`, `--allow-write=${folder}`];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--cached-only", ...permissions, MOD, ...args],
    env: { NO_COLOR: "1", XDG_RUNTIME_DIR: Deno.env.get("XDG_RUNTIME_DIR") ?? "/tmp" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  let ended = false;
  const status = child.status.finally(() => ended = true);
  while (!ended && !await isTime()) await pause(50);
  const sent = performance.now();
  if (!ended) child.kill(signal);
  const giveUp = withinMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), withinMs);
  const outcome = await status;
  clearTimeout(giveUp);
  return { ...outcome, stderr: await stderr, tookMs: performance.now() - sent };
}

/** Runs `kvbench` and gives its stdout. The test fails where the exit code isn't 0. */
export async function stdoutOf(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await kvbench(args, options);
  assert.equal(code, 0, `kvbench ${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** Runs a command in this process and returns what it prints. */
export async function printed(run: () => Promise<unknown>): Promise<string> {
  const { log } = console, { write, writeSync } = Deno.stdout, parts: string[] = [];
  const keep = (bytes: Uint8Array) => {
    parts.push(new TextDecoder().decode(bytes));
    return bytes.length;
  };
  console.log = (line: string) => parts.push(`${line}\n`);
  Deno.stdout.writeSync = keep;
  Deno.stdout.write = (bytes) => Promise.resolve(keep(bytes));
  try {
    await run();
  } finally {
    console.log = log;
    Object.assign(Deno.stdout, { write, writeSync });
  }
  return parts.join("");
}

/** One golden case (see `golden/README.md`). */
export interface GoldenCase {
  readonly name: string;
  readonly ids: readonly number[];
  readonly prompt?: string;
  readonly logits_file: string;
  readonly greedy_ids?: readonly number[];
}

/** A golden case with its logits. */
export async function goldenCase(
  model: "tiny" | "random-small",
  name: string,
): Promise<GoldenCase & { readonly greedy: readonly number[]; readonly logits: Float32Array }> {
  const cases: GoldenCase[] = JSON.parse(await Deno.readTextFile(pathOf(`golden/${model}/cases.json`)));
  const found = cases.find((each) => each.name === name);
  assert.ok(found, name);
  const bytes = await Deno.readFile(pathOf(`golden/${model}/${found.logits_file}`));
  return { ...found, greedy: found.greedy_ids ?? [], logits: new Float32Array(bytes.buffer) };
}

/** Gives `use` an empty folder and removes it afterwards. */
export async function inScratch<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "kvbench_" });
  try {
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The names in a folder, sorted. */
export function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

/** A path beside this file. */
function pathOf(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
