/** `kvbench serve`: an HTTP server that speaks OpenAI's completions API. */
import { byteCount, decimal, MOST_SECONDS, positive, wholeNumber } from "../options/values.ts";
import { Command } from "../options/commander.ts";
import { LiveEngine } from "../../engine/live_engine.ts";
import { KvbenchError, UsageError } from "../../base/errors.ts";
import { shapeOf } from "../../simulate/model_shape.ts";
import { servingKv } from "../../simulate/run_policy.ts";
import { servingNeed } from "../../simulate/serving_need.ts";
import { formatBytes, formatCount } from "../../report/units.ts";
import { isLoopback } from "../../serve/api.ts";
import { serve } from "../../serve/server.ts";
import { addApiKeyOptions, apiKeyOf, type ApiKeyOptions } from "../options/api_key.ts";
import { describeHelp } from "../options/help.ts";
import { watchInterrupts } from "../terminal/interrupt.ts";
import { policySpec } from "../options/kv_options.ts";
import { addMemoryOptions, GPU_LIMITS, type MemoryOptions, memoryPlanOf } from "../options/memory_options.ts";
import { addKvDtypeOptions, addModelOptions, type PrecisionOptions } from "../options/model_options.ts";
import { connectionLimit, DEFAULT_CONNECTIONS } from "./serve/connection_limit.ts";
import { addOptions, inGroup, optionList, type Values } from "../options/option_spec.ts";
import { withSession } from "../session/session.ts";
import { writeLine } from "../terminal/stdout.ts";

const SERVE_OPTIONS = optionList(
  ...inGroup(
    "Server",
    {
      flags: "--host <address>",
      help: "Address to listen at; any but a loopback address lets the network in",
      default: "127.0.0.1",
    },
    {
      flags: "--port <n>",
      help: "Port to listen at; 0 takes any",
      parse: wholeNumber(0, 65_535),
      default: 8000,
    },
    {
      flags: "--served-model-name <name>",
      help: "Model name that clients use",
      defaultText: "the model's own",
    },
    {
      flags: "--max-requests <n>",
      help: "Most requests under way; others get status 429",
      parse: wholeNumber(1, 1_000_000),
      default: 1024,
    },
    {
      flags: "--max-waiting <n>",
      help: "Most prompts that wait; others get status 429",
      parse: wholeNumber(1, 1_000_000),
      default: 256,
    },
    {
      flags: "--max-body <bytes>",
      help: "Largest body of a request; larger ones get status 413",
      parse: byteCount,
      default: 2 ** 20,
      defaultText: "1MiB",
    },
    {
      flags: "--max-connections <n>",
      help: "Most connections; more get status 503",
      parse: wholeNumber(1, 1_000_000),
      defaultText: `${DEFAULT_CONNECTIONS}, fewer where this process may open few files`,
    },
    {
      flags: "--header-timeout <seconds>",
      help: "Time for a request's headers; later ones get status 408",
      parse: positive(MOST_SECONDS),
      default: 10,
    },
    {
      flags: "--body-timeout <seconds>",
      help: "Time for a request's body; later ones get status 408",
      parse: positive(MOST_SECONDS),
      default: 30,
    },
    {
      flags: "--idle-timeout <seconds>",
      help: "Time for the next request, and for a client to take its answer",
      parse: positive(MOST_SECONDS),
      default: 60,
    },
    {
      flags: "--grace <seconds>",
      help: "Time for requests under way after SIGINT or SIGTERM",
      parse: decimal(0, MOST_SECONDS),
      default: 30,
    },
  ),
);

type Options =
  & PrecisionOptions
  & MemoryOptions
  & ApiKeyOptions
  & Values<typeof SERVE_OPTIONS>
  & Values<readonly [ReturnType<typeof policySpec>]>;

export function serveCommand(): Command {
  const command = addOptions(new Command("serve"), ...SERVE_OPTIONS, policySpec());
  addApiKeyOptions(command, "API key, which clients must send as bearer token", "Server");
  addMemoryOptions(addKvDtypeOptions(addModelOptions(command)), { dryRuns: false });
  return describeHelp(command, {
    everyday:
      "model weights-dtype kv-dtype kv-budget max-sequences policy host port served-model-name api-key-file",
    examples: [
      ["Serve the embedded model at http://127.0.0.1:8000/v1", "serve"],
      ["Serve GPT-2 with 1 GiB for K and V", "serve --model gpt2 --kv-budget 1GiB"],
    ],
  })
    .summary("Serve a model over OpenAI's completions API")
    .description("Serve a model to clients of OpenAI's completions API.")
    .action(run);
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
      const kv = servingKv(plan, shape, options.policy);
      const { nCtx } = model.config;
      const { maxSequences, maxRows, preemption } = plan;
      const engine = await LiveEngine.create(model, kv, {
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
    ({ shape, plan }) => ({
      work: (context) =>
        servingNeed(context, { plan, policies: [options.policy], shape, kvDtype: options.kvDtype }),
    }),
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
