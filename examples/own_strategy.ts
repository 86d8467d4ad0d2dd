/**
 * A strategy of one's own: a cache whose regions come in buckets, as of compilers that need fixed shapes. It takes
 * where K and V lie from `kv-cache`, and decides how much is reserved. Every command then knows it:
 *
 *     deno run -R examples/own_strategy.ts bench --strategies kv-cache,bucketed --bucket-tokens 256
 *     deno run -R examples/own_strategy.ts generate "Once upon a time" --strategy bucketed
 *
 * A strategy with a policy and WGSL of its own: docs/adding-a-strategy.md.
 *
 * @module
 */
import { type KvNeed, type KvOptions, register, strategyNamed } from "../extend.ts";
import { main } from "../mod.ts";

const cache = strategyNamed("kv-cache");

/** Options of `kv-cache` that reserve whole buckets for the longest sequence. */
function inBuckets({ maxTokens, nCtx }: KvNeed, { bucket_tokens }: KvOptions): KvOptions {
  const bucket = Number(bucket_tokens);
  const tokens = Math.min(nCtx, Math.ceil(maxTokens / bucket) * bucket);
  return { growth: "static", kv_capacity_tokens: tokens };
}

register({
  ...cache,
  name: "bucketed",
  line: { light: "#7B3F98", dark: "#C39BD3" },
  options: {
    bucket_tokens: {
      flag: "bucket-tokens",
      label: "bucket",
      placeholder: "tokens",
      help: "Tokens of a bucket of the strategy bucketed",
      values: { min: 1, max: 65_536 },
      default: 128,
    },
  },
  policy: (need, options) => cache.policy(need, inBuckets(need, options)),
  addressing: (need, options) => cache.addressing(need, inBuckets(need, options)),
});

await main(Deno.args);
