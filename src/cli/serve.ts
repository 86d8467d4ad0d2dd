/**
 * `kvbench serve`: an HTTP server that speaks OpenAI's completions API.
 *
 * @module
 */
import { Command, Option } from "./commander.ts";
import { LiveEngine } from "../engine/live_engine.ts";
import { createMemory, POLICY_NAMES, type PolicyName } from "../engine/scheduler/create_memory.ts";
import { KvbenchError, UsageError } from "../errors.ts";
import { shapeOf } from "../measure/serving/model_shape.ts";
import { memoryOptions } from "../measure/serving/run_policy.ts";
import { servingNeed } from "../measure/serving/serving_need.ts";
import { formatBytes, formatCount } from "../report/units.ts";
import { isLoopback } from "../serve/api.ts";
import { serve } from "../serve/server.ts";
import { addApiKeyOptions, apiKeyOf, type ApiKeyOptions } from "./api_key.ts";
import { watchInterrupts } from "./interrupt.ts";
import { addMemoryOptions, GPU_LIMITS, type MemoryOptions, memoryPlanOf } from "./memory_options.ts";
import { addKvDtypeOption, addModelOptions, type PrecisionOptions } from "./model_options.ts";
import { connectionLimit, DEFAULT_CONNECTIONS } from "./connection_limit.ts";
import { withSession } from "./session.ts";
import { writeLine } from "./stdout.ts";
import { byteCount, decimal, MOST_SECONDS, positive, wholeNumber } from "./values.ts";

interface Options extends PrecisionOptions, MemoryOptions, ApiKeyOptions {
  readonly policy: PolicyName;
  readonly host: string;
  readonly port: number;
  readonly servedModelName?: string;
  readonly maxRequests: number;
  readonly maxWaiting: number;
  readonly maxBody: number;
  readonly grace: number;
  readonly maxConnections?: number;
  readonly headerTimeout: number;
  readonly bodyTimeout: number;
  readonly idleTimeout: number;
}

/** Declares the subcommand. */
export function serveCommand(): Command {
  const command = new Command("serve")
    .description("Serve the model to clients of OpenAI's completions API")
    .option(
      "--host <address>",
      "where to listen; others than this machine's own let the network in",
      "127.0.0.1",
    )
    .option("--port <n>", "where to listen, 0 for any", wholeNumber(0, 65_535), 8000)
    .option("--served-model-name <name>", "what clients call the model (default: its name)")
    .option(
      "--max-requests <n>",
      "requests under way at most; others get status 429",
      wholeNumber(1, 1_000_000),
      1024,
    )
    .option(
      "--max-waiting <n>",
      "prompts that wait at most; others get status 429",
      wholeNumber(1, 1_000_000),
      256,
    )
    .option("--max-body <bytes>", "of a request; larger ones get status 413", byteCount, 2 ** 20)
    .option(
      "--max-connections <n>",
      `at once; more get status 503 (default: ${DEFAULT_CONNECTIONS}, less where this process may open few files)`,
      wholeNumber(1, 1_000_000),
    )
    .option(
      "--header-timeout <seconds>",
      "for a request's headers; later ones get status 408",
      positive(MOST_SECONDS),
      10,
    )
    .option(
      "--body-timeout <seconds>",
      "for a request's body; later ones get status 408",
      positive(MOST_SECONDS),
      30,
    )
    .option(
      "--idle-timeout <seconds>",
      "for the next request, and for taking an answer",
      positive(MOST_SECONDS),
      60,
    )
    .option("--grace <seconds>", "for requests under way at SIGINT or SIGTERM", decimal(0, MOST_SECONDS), 30)
    .addOption(
      new Option("--policy <name>", "how sequences are given room for K and V").choices(POLICY_NAMES)
        .default("paged"),
    );
  addApiKeyOptions(command, "what clients must send as bearer token");
  return addMemoryOptions(addKvDtypeOption(addModelOptions(command))).action(run);
}

async function run(options: Options): Promise<void> {
  const maxConnections = await connectionLimit(options.maxConnections);
  await expectPermission(options);
  const apiKey = await apiKeyOf(options);
  const ledger = await withSession(
    options,
    ({ config, name }, tokenizer) => {
      if (!tokenizer) throw new UsageError("This model has no tokenizer: clients send and get text");
      const shape = shapeOf(name, config, options);
      return Promise.resolve({ shape, tokenizer, plan: memoryPlanOf(options, shape, GPU_LIMITS) });
    },
    async ({ gpu, model, modelName }, { shape, tokenizer, plan }) => {
      const memory = createMemory(options.policy, memoryOptions(plan, shape));
      const { nCtx } = model.config;
      const { maxSequences, maxRows, preemption } = plan;
      const engine = await LiveEngine.create(model, memory, {
        nCtx,
        maxSequences,
        maxRows,
        preemption,
        kvDtype: options.kvDtype,
      });
      try {
        using interrupts = watchInterrupts();
        const name = options.servedModelName ?? modelName;
        await serve(engine, { name, config: model.config, tokenizer }, {
          hostname: options.host,
          port: options.port,
          apiKey,
          maxRequests: options.maxRequests,
          maxWaiting: options.maxWaiting,
          maxBodyBytes: options.maxBody,
          graceMs: 1000 * options.grace,
          maxConnections,
          headerTimeoutMs: 1000 * options.headerTimeout,
          bodyTimeoutMs: 1000 * options.bodyTimeout,
          idleTimeoutMs: 1000 * options.idleTimeout,
          onLimit: (n) => {
            console.error(
              `Caution: this process can open no more files: from now on, it takes ${n} connections`,
            );
          },
          signal: interrupts.signal,
          onListen: (url) => {
            const { capacity } = engine.usage();
            writeLine(
              `kvbench serves ${name} at ${url}/v1: ${options.policy}, room for K and V of ` +
                `${formatCount(capacity)} tokens`,
            );
            if (!isLoopback(options.host) && apiKey === undefined) {
              console.error(
                `Caution: anyone who reaches ${options.host} may use it; --api-key keeps others out`,
              );
            }
          },
        });
      } finally {
        engine.dispose();
      }
      return gpu.ledger;
    },
    ({ shape, plan }) => (context) =>
      servingNeed(context, { plan, policies: [options.policy], shape, kvDtype: options.kvDtype }),
  );
  writeLine(`Stopped. Buffers left on the GPU: ${formatBytes(ledger.current.total)}`);
}

/** Asks before the model is loaded, which takes a while. */
async function expectPermission({ host, port }: Options): Promise<void> {
  const name = host.includes(":") ? `[${host}]` : host;
  const address = port === 0 ? name : `${name}:${port}`;
  const { state } = await Deno.permissions.request({ name: "net", host: address });
  if (state === "granted") return;
  throw new KvbenchError(`Cannot listen at ${address}: no permission, run with --allow-net=${address}`);
}
