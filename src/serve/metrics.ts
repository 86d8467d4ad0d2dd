/**
 * `GET /metrics`: the server's figures for Prometheus. Names end with their units, as Prometheus recommends.
 */
import client from "npm:prom-client@15.1.3";
import type { LiveEngine } from "../engine/live_engine.ts";
import type { Completion } from "./completion.ts";
import type { Door } from "./door.ts";

/** End of a completion. */
export type CompletionOutcome = "finished" | "cancelled" | "failed";

/** The part of an engine that gauges read. */
type Observed = Pick<LiveEngine, "nRunning" | "nWaiting" | "usage" | "counters" | "gpuBytes">;

/** Buckets of the time to the first token, in seconds. */
const TTFT = [0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];
/** Buckets of the time per output token, in seconds. */
const TPOT = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];

/** The metrics of one server. */
export class Metrics {
  /** The media type of {@linkcode Metrics.text}. */
  readonly contentType: string;
  readonly #registry = new client.Registry();
  readonly #requests;
  readonly #promptTokens;
  readonly #newTokens;
  readonly #ttft;
  readonly #tpot;

  /** Registers the figures of an engine, which is read whenever the text is asked for. */
  constructor(engine: Observed) {
    const registers = [this.#registry];
    this.contentType = this.#registry.contentType;
    const gauge = this.#gauge;
    gauge("sequences_running", "Sequences that steps compute", () => engine.nRunning);
    gauge(
      "requests_waiting",
      "Prompts that wait for their first step, or to be brought back",
      () => engine.nWaiting,
    );
    gauge("kv_usage_ratio", "Share of the K/V memory that sequences hold", () => {
      const { capacity, free } = engine.usage();
      return 1 - free / capacity;
    });
    gauge("kv_stored_tokens", "Tokens whose K and V are stored", () => engine.usage().stored);
    gauge("kv_capacity_tokens", "Tokens whose K and V fit", () => engine.usage().capacity);
    gauge("gpu_bytes", "Buffers and textures on the GPU, as the ledger counts them", () => engine.gpuBytes);
    gauge("heap_bytes", "JavaScript's heap in use", () => Deno.memoryUsage().heapUsed);
    // Prometheus' own name, without a prefix.
    gauge("process_resident_memory_bytes", "Memory of the process", () => Deno.memoryUsage().rss, "");
    new client.Counter({
      name: "kvbench_preemptions_total",
      help: "Requests that had to make room, by what happened to their K and V",
      labelNames: ["how"],
      registers,
      collect() {
        const { recomputes, swaps } = engine.counters;
        this.reset();
        this.inc({ how: "recompute" }, recomputes);
        this.inc({ how: "swap" }, swaps);
      },
    });
    this.#total(
      "prefix_hit_tokens",
      "Prompt tokens that were found in the prefix cache",
      () => engine.counters.hitTokens,
    );
    const counter = <T extends string>(name: string, help: string, labelNames: T[] = []) =>
      new client.Counter({ name: `kvbench_${name}_total`, help, labelNames, registers });
    this.#requests = counter("requests", "Completions, by how they ended", ["outcome"]);
    this.#promptTokens = counter("prompt_tokens", "Tokens of the prompts of finished completions");
    this.#newTokens = counter("generated_tokens", "Tokens that completions gained");
    const histogram = (name: string, help: string, buckets: number[]) =>
      new client.Histogram({ name: `kvbench_${name}_seconds`, help, buckets, registers });
    this.#ttft = histogram("time_to_first_token", "From the request to a choice's first token", TTFT);
    this.#tpot = histogram(
      "time_per_output_token",
      "Of each choice with several tokens: (last token - first token) / (tokens - 1)",
      TPOT,
    );
  }

  /** Adds the figures of connections. */
  observeDoor(door: Pick<Door, "nConnections" | "nRefused">): void {
    this.#gauge("connections", "Connections that are open", () => door.nConnections);
    this.#total(
      "connections_refused",
      "Connections that were refused because of their limit",
      () => door.nRefused,
    );
  }

  /** Counts a completion that has ended. */
  completion(completion: Completion, outcome: CompletionOutcome): void {
    const { usage, choices, arrivalMs } = completion;
    this.#requests.inc({ outcome });
    this.#newTokens.inc(usage.completion_tokens);
    if (outcome === "finished") this.#promptTokens.inc(usage.prompt_tokens);
    for (const { nTokens, times: { first, last } } of choices) {
      if (nTokens > 0) this.#ttft.observe((first - arrivalMs) / 1000);
      if (nTokens > 1) this.#tpot.observe((last - first) / (nTokens - 1) / 1000);
    }
  }

  /** All figures in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  readonly #gauge = (name: string, help: string, value: () => number, prefix = "kvbench_") =>
    new client.Gauge({
      name: prefix + name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(value());
      },
    });

  #total(name: string, help: string, value: () => number): void {
    new client.Counter({
      name: `kvbench_${name}_total`,
      help,
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  }
}
