/**
 * `deno task soak`: whether a server's memory reaches a plateau. Rounds of a crowd, busy clients and rest, on loopback; at
 * the end of each rest, memory is read from the server's metrics. Ten rounds of a minute by default: `SECONDS` as an
 * argument makes rounds shorter or longer, for ten of them.
 */
import { fileURLToPath } from "node:url";
import { seededRandom } from "../src/base/random.ts";

const ROUNDS = 10;
const CLIENTS = 200;
const HALF_OPEN = 2000;
/** Shares of a round: after it, clients rest. */
const BUSY_SHARE = 0.6;
/** Growth beyond which it is no plateau. */
const TOLERANCE = 0.05;

const MIB = 2 ** 20;

/** Memory of a server, in bytes. */
interface Memory {
  readonly rss: number;
  readonly heap: number;
  readonly gpu: number;
}

/** A round's counts, and memory after it. */
interface Round extends Memory {
  readonly peakRss: number;
  readonly whole: number;
  readonly left: number;
  readonly refused: number;
}

async function memoryOf(url: string): Promise<Memory> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)![1]);
  return {
    rss: value("process_resident_memory_bytes"),
    heap: value("kvbench_heap_bytes"),
    gpu: value("kvbench_gpu_bytes"),
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Requests one after another until a time, some of which are left at any moment. */
async function client(url: string, seed: number, untilMs: number, count: Counts): Promise<void> {
  const random = seededRandom(seed);
  while (performance.now() < untilMs) {
    const leaving = new AbortController();
    const timer = setTimeout(
      () => leaving.abort(),
      random() < 0.3 ? 2000 * random() : untilMs - performance.now(),
    );
    const stream = random() < 0.5;
    const prompt = Array.from({ length: 1 + Math.floor(60 * random()) }, () => Math.floor(50_000 * random()));
    const body = {
      model: "tiny",
      prompt,
      max_tokens: 1 + Math.floor(40 * random()),
      ignore_eos: true,
      stream,
    };
    try {
      const response = await fetch(`${url}/v1/completions`, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
        signal: leaving.signal,
      });
      const text = await response.text();
      if (response.status !== 200) throw new Error(`Status ${response.status}: ${text.slice(0, 200)}`);
      count.whole++;
    } catch (error) {
      if (leaving.signal.aborted) count.left++;
      else if (error instanceof TypeError) count.refused++; // its connection made room for another
      else throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

interface Counts {
  whole: number;
  left: number;
  refused: number;
}

/** Connects, sends half a request line, and stays until the server closes. */
async function halfOpen(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  try {
    using connection = await Deno.connect({ hostname, port: Number(port) });
    await connection.write(new TextEncoder().encode("GET / HTT"));
    const buffer = new Uint8Array(1000);
    while (await connection.read(buffer) !== null);
  } catch {
    // closed, which is what is expected
  }
}

async function round(url: string, index: number, ms: number): Promise<Round> {
  const endMs = performance.now() + ms;
  const busyUntilMs = performance.now() + BUSY_SHARE * ms;
  const count = { whole: 0, left: 0, refused: 0 };
  let peakRss = 0;
  const watching = setInterval(async () => {
    try {
      peakRss = Math.max(peakRss, (await memoryOf(url)).rss);
    } catch {
      // no room for this connection just now
    }
  }, 2000);
  const crowd = Array.from({ length: HALF_OPEN }, () => halfOpen(url));
  await Promise.all(
    Array.from({ length: CLIENTS }, (_, i) => client(url, CLIENTS * index + i, busyUntilMs, count)),
  );
  await Promise.all(crowd);
  clearInterval(watching);
  await pause(Math.max(0, endMs - performance.now()));
  return { ...await memoryOf(url), peakRss, ...count };
}

/** Growth of the floor of the last third over that of the third before it, as a share: what is not collected lifts it. */
function lateGrowth(values: readonly number[]): number {
  const third = Math.floor(values.length / 3);
  return Math.min(...values.slice(-third)) / Math.min(...values.slice(-2 * third, -third)) - 1;
}

function startServer(): { readonly child: Deno.ChildProcess; readonly url: Promise<string> } {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      `--allow-read=${fileURLToPath(new URL("../weights", import.meta.url))}`,
      "--allow-net=127.0.0.1",
      fileURLToPath(new URL("../mod.ts", import.meta.url)),
      "serve",
      "--port=0",
      "--no-autotune",
    ],
    env: { XDG_RUNTIME_DIR: Deno.env.get("XDG_RUNTIME_DIR") ?? "/tmp" },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const listening = Promise.withResolvers<string>();
  (async () => {
    let text = "";
    for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += piece;
      const [url] = /http:\/\/[^/\s]+(?=\/v1)/.exec(text) ?? [];
      if (url !== undefined) listening.resolve(url);
    }
    listening.reject(new Error("The server has ended"));
    console.log(text.trimEnd());
  })();
  return { child, url: listening.promise };
}

const seconds = Number(Deno.args[0] ?? 60);
if (!(seconds > 0 && seconds <= 600)) {
  console.error(`Seconds of a round are ${Deno.args[0]}: expected a number from 1 to 600`);
  Deno.exit(2);
}
const { child, url } = startServer();
const address = await url;
const mib = (bytes: number) => (bytes / MIB).toFixed(0).padStart(6);
const row = (...cells: (string | number)[]) =>
  console.log(cells.map((cell) => String(cell).padStart(9)).join(""));
row("round", "answered", "left", "refused", "peak RSS", "RSS", "heap", "ledger");
const rounds: Round[] = [];
try {
  const { rss, heap, gpu } = await memoryOf(address);
  row("start", "", "", "", "", mib(rss), mib(heap), mib(gpu));
  for (let i = 0; i < ROUNDS; i++) {
    const done = await round(address, i, 1000 * seconds);
    rounds.push(done);
    const { whole, left, refused, peakRss } = done;
    row(i + 1, whole, left, refused, mib(peakRss), mib(done.rss), mib(done.heap), mib(done.gpu));
  }
} finally {
  child.kill("SIGTERM");
}
const { code } = await child.status;
const growth = {
  RSS: lateGrowth(rounds.map(({ rss }) => rss)),
  heap: lateGrowth(rounds.map(({ heap }) => heap)),
  ledger: lateGrowth(rounds.map(({ gpu }) => gpu)),
};
const growing = Object.entries(growth).filter(([, share]) => share > TOLERANCE);
const shares = Object.entries(growth).map(([name, share]) => `${name} ${(100 * share).toFixed(1)} %`).join(
  ", ",
);
console.log(
  `Memory in MiB, after each round's rest. The least of the last ${
    Math.floor(ROUNDS / 3)
  } rounds over the least of ` +
    `as many before: ${shares}. ` +
    (growing.length === 0 ? "A plateau" : `No plateau: ${growing.map(([name]) => name).join(" and ")} grow`),
);
Deno.exitCode = code === 0 && growing.length === 0 ? 0 : 1;
