/**
 * Bad input ends with one line on stderr, nothing on stdout, and an exit code: 2 for a wrong argument, 1 for a
 * failure.
 */
import assert from "node:assert/strict";
import { ignore, inScratch, kvbench, RANDOM_SMALL, type RunOptions } from "./cli_support.ts";

/** Runs `kvbench` and checks that it ends with `code` and the line `message`. */
async function refuses(
  code: number,
  args: readonly string[],
  message: RegExp,
  options: RunOptions = {},
): Promise<void> {
  const result = await kvbench(args, options);
  const what = `kvbench ${args.join(" ")}: ${result.stderr}`;
  assert.deepEqual([result.code, result.stdout], [code, ""], what);
  assert.match(result.stderr, /^kvbench: [^\n]+\n$/, what);
  assert.match(result.stderr.slice("kvbench: ".length), message, what);
}

const WRONG: readonly (readonly [what: string, args: readonly string[], message: RegExp])[] = [
  [
    "an unknown strategy",
    ["generate", "x", "--strategy", "lru"],
    /'lru' is not valid: expected no-cache, kv-cache, max, pow2, oracle, paged/,
  ],
  [
    "an unknown strategy in a list",
    ["bench", "--strategies", "paged,lru"],
    /"lru" is unknown: expected no-cache/,
  ],
  [
    "an unknown model",
    ["generate", "x", "--model", "gpt9"],
    /^Unknown model "gpt9": expected tiny, distilgpt2, .+ or a folder$/m,
  ],
  ["block size 0", ["bench", "--block-size", "0"], /'0' is not valid: expected a whole number from 1 to 256/],
  ["block size 257", ["generate", "x", "--block-size", "257"], /'257' is not valid: .*from 1 to 256/],
  [
    "prompt plus new tokens over the context (generate)",
    ["generate", "The", "--max-new-tokens", "1024"],
    /^1 prompt tokens and 1024 new tokens make 1025: the model's context is 1024 tokens, the positions that it has learned$/m,
  ],
  [
    "prompt plus new tokens over the context (bench)",
    ["bench", "--prompt-tokens", "1000", "--new-tokens", "25"],
    /^1000 prompt tokens and 25 new tokens make 1025: the model's context is 1024 tokens, the positions that it has learned$/m,
  ],
  ["an empty prompt with nothing on stdin", ["generate"], /^The prompt is empty: expected text/],
  ["an empty prompt", ["bench", "--prompt", ""], /^The prompt is empty: expected text/],
  ["an unknown option", ["generate", "x", "--colour"], /^Unknown option '--colour'/],
  ["an unknown subcommand", ["train"], /^Unknown command 'train'/],
  [
    "ids that are no ids",
    ["generate", "--prompt-ids", "1,,2"],
    /expected token ids with commas between them/,
  ],
  [
    "an id beyond the vocabulary",
    ["logits", "--prompt-ids", "50257", "-o", "f"],
    /^Token id 50257 is not in/,
  ],
  ["a negative temperature", ["generate", "x", "--temperature", "-1"], /emperature.*'-1'.* from 0 to 100/],
  [
    "a temperature that float32 does not hold",
    ["generate", "x", "--temperature", "1e308"],
    /'1e308'.*to 100/,
  ],
  ["an empty stop text", ["generate", "x", "--stop", ""], /^Option .--stop.+ it is empty: expected/],
  ["an empty name", ["bench", "--out", ""], /^--out is empty: expected <folder>/],
  ["a prompt with bytes that are not UTF-8", ["generate", "a\ufffdb"], /^The prompt holds U\+FFFD/],
  ["more tokens than can be", ["profile", "--prompt-tokens", "9007199254740991"], /from 1 to 1048576/],
  ["more seconds than a timer holds", ["load", "http://127.0.0.1:9", "--timeout", "1e7"], /at most 1728000/],
  ["more bytes than can be counted", ["serve-sim", "--kv-budget", "1e30GiB"], /expected bytes with a unit/],
  ["a top-p of 0", ["generate", "x", "--top-p", "0"], /op-p.*'0'.* above 0 and at most 1/],
  [
    "beams that are sampled",
    ["generate", "x", "--num-beams", "2", "--top-k", "5"],
    /^--num-beams excludes sampling options: expected one or the other$/m,
  ],
  [
    "more sequences than beams",
    ["generate", "x", "--num-beams", "2", "--num-return-sequences", "3"],
    /^--num-return-sequences 3 exceeds --num-beams 2: expected at most as many$/m,
  ],
  [
    "a prompt in two forms",
    ["generate", "x", "--prompt-ids", "1"],
    /^Both a prompt and --prompt-ids are given/,
  ],
];

for (const [what, args, message] of WRONG) {
  Deno.test(`Exit code 2 and one line answer ${what}`, { ignore }, () => refuses(2, args, message));
}

Deno.test("Exit code 1 and one line answer a checkpoint that is missing or damaged", { ignore }, async () => {
  await inScratch(async (folder) => {
    const read = [folder];
    const args = ["generate", "--prompt-ids", "1", "--output", "ids", "--model", folder];
    await refuses(
      1,
      [...args.slice(0, -1), `${folder}/none`],
      /^Cannot open model .+: there is no such folder$/m,
      {
        read,
      },
    );
    await refuses(1, args, /^Cannot read .+config\.json: there is no such file$/m, { read });

    await Deno.copyFile(`${RANDOM_SMALL}/config.json`, `${folder}/config.json`);
    await refuses(1, args, /^Cannot read .+model\.safetensors: there is no such file$/m, { read });

    const whole = await Deno.readFile(`${RANDOM_SMALL}/model.safetensors`);
    await Deno.writeFile(`${folder}/model.safetensors`, whole.subarray(0, 600_000));
    await refuses(1, args, /tensor "h\.1\.mlp\.c_fc\.weight" .* truncated$/m, { read });

    await Deno.writeFile(`${folder}/model.safetensors`, whole);
    const config = JSON.parse(await Deno.readTextFile(`${RANDOM_SMALL}/config.json`));
    const longer = { ...config, n_positions: 64, n_ctx: 64 };
    await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(longer));
    await refuses(1, args, /tensor "?wpe\.weight"? is \[48, 80\], expected \[64, 80\]/, { read });
  });
});

Deno.test("Exit code 1 and one line answer a missing adapter, with what to do", { ignore }, async () => {
  // WebGPU looks for adapters of this API alone, which exists on no Linux and no Windows.
  const env = { DENO_WEBGPU_BACKEND: Deno.build.os === "darwin" ? "vulkan" : "metal" };
  const message = /^No WebGPU adapter: expected .+deno task setup.+apt-get install/;
  for (const args of [["generate", "x"], ["bench", "--json", "-"], ["doctor"]]) {
    await refuses(1, args, message, { env });
  }
});

Deno.test("Exit code 1 and one line answer a missing permission, with its flag", { ignore }, async () => {
  await refuses(1, ["generate", "x"], /^Cannot read .+: no permission, run with --allow-read$/m, {
    flags: [],
  });
  await refuses(1, ["bench", "--out", "x"], /^Cannot write to x: run with --allow-read=x --allow-write=x$/m);
});

Deno.test(
  "Exit code 1 and one line answer text that is not UTF-8, wherever it comes from",
  { ignore },
  async () => {
    await inScratch(async (folder) => {
      const file = `${folder}/latin1`;
      await Deno.writeFile(file, Uint8Array.of(0x63, 0x61, 0x66, 0xe9)); // café in Latin-1
      const message = /latin1 is not UTF-8 from byte 3 on: expected UTF-8 text, convert it/;
      const options = { read: [folder] };
      const key = ["load", "http://127.0.0.1:9", "--api-key-file", file];
      for (
        const args of [
          ["perplexity", file],
          ["report", file],
          ["compare", file, file],
          ["bench", "--resume", file],
          ["serve-sim", "--dry-run", "--lengths", file],
          key,
        ]
      ) await refuses(1, args, message, options);
      const sent = Uint8Array.of(0x63, 0x61, 0x66, 0xe9);
      await refuses(1, ["generate"], /^stdin is not UTF-8 from byte 3 on/, { stdin: sent });
    });
  },
);
