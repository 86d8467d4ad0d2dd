/**
 * A model with a vocabulary of its own, as a user runs it: a folder in the Chinese GPT-2's shape does every command with
 * text in and out, from the hub too, and a vocabulary that can't be used costs the text alone.
 */
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import OpenAI from "openai";
import { parseConfig } from "../src/checkpoint/config.ts";
import type { Tokenizer } from "../src/checkpoint/tokenizer.ts";
import { tokenizerFor } from "../src/checkpoint/vocabulary.ts";
import { bundle, BUNDLE_NAME } from "../tools/bundle.ts";
import { HUB_VARIABLES } from "../src/hub/settings.ts";
import { parseResult } from "../src/measure/record/result.ts";
import { ignore, inScratch, kvbench, MOD, runDeno, stdoutOf } from "./cli_support.ts";
import { chineseGpt2, writeChineseGpt2 } from "./fixtures/chinese_gpt2.ts";
import { REPOSITORY, withHub } from "./fixtures/hub.ts";
import { permitted } from "./permitted.ts";

const PROMPT = "深度学习中的注意力机制是";
const QUICK = ["--no-autotune"];

/** Gives `test` a folder with the model, and its tokenizer. */
async function withFolder(test: (folder: string, tokenizer: Tokenizer) => Promise<void>): Promise<void> {
  await inScratch(async (folder) => {
    await writeChineseGpt2(folder);
    const config = parseConfig(JSON.parse(await Deno.readTextFile(`${folder}/config.json`)), "config.json");
    const texts = { "vocab.txt": await Deno.readTextFile(`${folder}/vocab.txt`) };
    const tokenizer = await tokenizerFor({ config, vocabulary: () => Promise.resolve({ texts, folder }) });
    await test(folder, tokenizer!);
  });
}

interface Generated {
  readonly prompt_ids: number[];
  readonly sequences: { readonly ids: number[]; readonly text: string }[];
}

Deno.test("A Chinese GPT-2 in a folder takes and gives text in every command", { ignore }, async (t) => {
  await withFolder(async (folder, tokenizer) => {
    const model = ["--model", folder, ...QUICK];
    const run = (...args: string[]) => stdoutOf([...args, ...model], { read: [folder], write: folder });
    const ids = tokenizer.encode(PROMPT);
    assert.equal(ids.length, [...PROMPT].length, "each character is a token");
    let text = "";

    await t.step("generate: printed as it comes is what the ids decode to", async () => {
      const args = ["generate", PROMPT, "--max-new-tokens", "24"];
      const json: Generated = JSON.parse(await run(...args, "--output", "json"));
      assert.deepEqual(json.prompt_ids, ids);
      text = json.sequences[0]!.text;
      assert.equal(text, tokenizer.decode(json.sequences[0]!.ids, ids));
      assert.equal(tokenizer.decode(ids) + text, tokenizer.decode([...ids, ...json.sequences[0]!.ids]));
      assert.equal(await run(...args), `${text}\n`);
      const stop = text.trim().slice(3, 5);
      const stopped = await run(...args, "--stop", stop);
      assert.equal(stopped, `${text.slice(0, text.indexOf(stop))}\n`);
      for (const several of [["--num-beams", "2"], ["--num-return-sequences", "2", "--temperature", "0"]]) {
        const many: Generated = JSON.parse(await run(...args, ...several, "--output", "json"));
        for (const each of many.sequences) assert.equal(each.text, tokenizer.decode(each.ids, ids));
      }
    });

    await t.step("logits and perplexity: a text is its ids", async () => {
      const [out, written] = [`${folder}/l.f32`, `${folder}/text.txt`];
      await run("logits", PROMPT, "-o", out);
      const logits = await Deno.readFile(out);
      assert.equal(logits.length, 4 * tokenizer.vocabSize);
      await run("logits", "--prompt-ids", ids.join(","), "-o", out);
      assert.deepEqual(await Deno.readFile(out), logits);
      await Deno.writeTextFile(written, PROMPT.repeat(3));
      const { tokens } = JSON.parse(await run("perplexity", written, "--json"));
      assert.equal(tokens, 3 * ids.length - 1);
    });

    await t.step("bench, and compare and report of its result", async () => {
      const file = `${folder}/bench.json`;
      const bench = ["bench", "--prompt", PROMPT, "--runs", "1", "--warmup", "0", "--new-tokens", "4"];
      await run(...bench, "--json", file);
      const result = parseResult(JSON.parse(await Deno.readTextFile(file)), file);
      assert.deepEqual([result.plan.prompt, result.plan.prompt_ids], [PROMPT, ids]);
      const texts = result.cells.flatMap((cell) => cell.texts);
      assert.ok(
        texts.length >= 3 && texts.every((each) => each !== null && text.startsWith(each)),
        `${texts}`,
      );
      for (const args of [["compare", file, file], ["report", file]]) {
        assert.match(await stdoutOf(args, { flags: [`--allow-read=${folder}`] }), /TPOT/);
      }
    });

    await t.step("serve-sim", async () => {
      const sim = ["--kv-budget", "1MiB", "--requests", "2", "--lengths", "alpaca"];
      assert.match(await run("serve-sim", ...sim), /same greedy ids/);
    });
  });
});

Deno.test("serve answers with a Chinese GPT-2's text: streams, stop strings, echo, log-probabilities, load", {
  ignore: ignore || !permitted("net") || Deno.build.os === "windows",
}, async () => {
  await withFolder(async (folder, tokenizer) => {
    const generated: Generated = JSON.parse(
      await stdoutOf(
        ["generate", PROMPT, "--max-new-tokens", "16", "--output", "json", "--model", folder, ...QUICK],
        { read: [folder] },
      ),
    );
    const { prompt_ids: prompt, sequences: [{ ids, text }] } = generated as {
      prompt_ids: number[];
      sequences: [Generated["sequences"][0]];
    };
    const whenReady = async (line: string) => {
      const [baseURL] = /http:\/\/\S+\/v1/.exec(line)!;
      const client = new OpenAI({ baseURL, apiKey: "k", maxRetries: 0 });
      const body = { model: folder, prompt: PROMPT, max_tokens: 16, temperature: 0 };
      const chunks = await Array.fromAsync(await client.completions.create({ ...body, stream: true }));
      assert.equal(chunks.map(({ choices }) => choices[0]?.text ?? "").join(""), text);
      assert.ok(chunks.length > 8, "it came in one piece");

      const { choices: [whole] } = await client.completions.create({ ...body, logprobs: 2 });
      const { tokens, text_offset } = whole!.logprobs!;
      assert.equal(tokens!.join(""), text);
      assert.deepEqual(
        text_offset,
        ids.map((_, i) => tokenizer.decode(ids.slice(0, i), prompt).length),
      );

      const { choices: [echo] } = await client.completions.create({ ...body, echo: true });
      assert.equal(echo!.text, PROMPT + text);
      const stop = text.trim().slice(4, 6);
      const { choices: [stopped] } = await client.completions.create({ ...body, stop });
      assert.deepEqual([stopped!.text, stopped!.finish_reason], [text.slice(0, text.indexOf(stop)), "stop"]);
      await assert.rejects(client.completions.create({ model: folder } as never), {
        message: /Invalid 'prompt': is missing, and this model has no token that ends a text/,
      });
      const load = [
        "load",
        baseURL,
        "--num-prompts",
        "2",
        "--prompt-tokens",
        "8",
        "--new-tokens",
        "3",
        "--vocab-size",
        `${tokenizer.vocabSize}`,
      ];
      assert.match(await stdoutOf(load, { flags: ["--allow-net=127.0.0.1"] }), /2 requests/);
    };
    const { code, stderr } = await kvbench(["serve", "--port", "0", "--model", folder, ...QUICK], {
      flags: [`--allow-read=${folder}`, "--allow-net=127.0.0.1"],
      whenReady,
    });
    assert.deepEqual([code, stderr], [0, ""]);
  });
});

Deno.test("A vocabulary that can't be used is named, and token ids still work", { ignore }, async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/tokenizer.json`, "{}");
    const args = ["generate", "--model", folder, ...QUICK, "--max-new-tokens", "2"];
    const said = new RegExp(
      `^kvbench: no text, only token ids: Cannot use ${folder}/tokenizer\\.json: model is not`,
    );
    const ids = await kvbench([...args, "--prompt-ids", "98,99", "--output", "ids"], { read: [folder] });
    assert.deepEqual([ids.code, /^\d+,\d+\n$/.test(ids.stdout)], [0, true], ids.stderr);
    assert.match(ids.stderr, said);
    const text = await kvbench([...args, PROMPT], { read: [folder] });
    assert.deepEqual([text.code, text.stdout], [2, ""]);
    assert.match(text.stderr, said);
    assert.match(text.stderr, /\nkvbench: This model has no tokenizer: expected --prompt-ids\n$/);
  });
});

Deno.test("A model of the hub comes with its vocabulary, at the revision that its name says", {
  ignore: ignore || !permitted("net"),
}, async () => {
  await withHub(async (hub, cache) => {
    const commit = "d".repeat(40);
    hub.revisions["refs/pr/3"] = { commit, files: await chineseGpt2() };
    const name = `${REPOSITORY}@refs/pr/3`;
    const flags = [
      `--allow-env=${HUB_VARIABLES}`,
      `--allow-net=${[hub.origin, hub.storeOrigin].map((origin) => new URL(origin).host)}`,
      `--allow-read=${cache}`,
      `--allow-write=${cache}`,
    ];
    const env = { HF_ENDPOINT: hub.origin, HF_HUB_CACHE: cache };
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await kvbench(args, { flags, env });
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const args = ["generate", PROMPT, "--max-new-tokens", "8", "--output", "json", ...QUICK];
    const json = JSON.parse(await run(...args, "--model", name));
    assert.deepEqual([json.model, json.prompt_ids.length], [name, 12]);
    assert.equal(typeof json.sequences[0].text, "string");
    const asked = hub.seen.length;
    assert.deepEqual(JSON.parse(await run(...args, "--model", name)).sequences, json.sequences);
    const byCommit = JSON.parse(await run(...args, "--model", `${REPOSITORY}@${commit}`));
    assert.deepEqual(byCommit.sequences, json.sequences);
    assert.equal(hub.seen.length, asked, "the cache was not used");
    // Synthetic weights have the vocabulary too.
    const synthetic = JSON.parse(await run(...args, "--model", name, "--weights", "synthetic"));
    assert.equal(synthetic.prompt_ids.length, 12);
    // `main` is another model.
    assert.equal((await kvbench([...args, "--model", REPOSITORY], { flags, env })).code, 2);

    const { models } = JSON.parse(await run("weights", "list", "--json"));
    assert.deepEqual(models.map((each: { name: string }) => each.name), [REPOSITORY, name]);
    assert.match(await run("weights", "verify", name), /@refs\/pr\/3 vocab\.txt: ok /);
    const rm = await kvbench(["weights", "rm", name], { flags, env });
    assert.equal(rm.code, 2);
    assert.match(rm.stderr, /shares files with its other revisions: expected someone\/small-gpt2,/);
    const missing = await kvbench(["weights", "pull", `${REPOSITORY}@nowhere`], { flags, env });
    assert.equal(missing.code, 1);
    assert.match(
      missing.stderr,
      /resolve\/nowhere\/config\.json: .* the model has no such revision, expected a branch/,
    );
  });
});

Deno.test("The package for other vocabularies is fetched by the run that has one, and by no other", {
  ignore: ignore || !permitted("net"),
}, async () => {
  await withFolder(async (folder) => {
    const env = { DENO_DIR: `${folder}/cache` };
    const fetched = async (...args: string[]) => {
      const flags = ["run", "--no-prompt", `--allow-read=weights,${folder}`];
      const { code, stderr } = await runDeno([
        ...flags,
        MOD,
        "generate",
        ...args,
        ...QUICK,
        "--max-new-tokens",
        "1",
      ], {
        env,
        cwd: MOD.replace(/mod\.ts$/, ""),
      });
      assert.equal(code, 0, stderr);
      return [...stderr.matchAll(/^Download \S+\/([\w-]+)-[\d.]+\.tgz$/gm)].map(([, name]) => name);
    };
    const first = await fetched("Once");
    assert.ok(first.includes("gpt-tokenizer") && !first.includes("tokenizers"), `${first}`);
    assert.deepEqual(await fetched(PROMPT, "--model", folder), ["tokenizers"]);
  });
});

Deno.test(
  "The bundle holds that package: it needs no cache and no network for a vocabulary of a model's own",
  {
    ignore,
  },
  async () => {
    await withFolder(async (folder) => {
      await bundle({ folder: pathToFileURL(`${folder}/dist/`) });
      const flags = ["run", "--no-prompt", "--no-remote", "--cached-only", `--allow-read=${folder}`];
      const generate = ["generate", PROMPT, "--model", folder, ...QUICK, "--max-new-tokens", "4"];
      const { code, stdout, stderr } = await runDeno(
        [...flags, `${folder}/dist/${BUNDLE_NAME}`, ...generate],
        {
          env: { DENO_DIR: `${folder}/cache` },
          cwd: folder,
        },
      );
      assert.equal(code, 0, stderr);
      assert.equal(stdout, await stdoutOf(generate, { read: [folder] }));
    });
  },
);
