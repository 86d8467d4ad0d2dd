import assert from "node:assert/strict";
import { PRESETS } from "../../checkpoint/config.ts";
import { checkMemory } from "./memory_check.ts";

/** An adapter that binds so much at most. */
function adapter(software: boolean, bytes: number): Parameters<typeof checkMemory>[0] {
  const limits = { maxBufferSize: bytes, maxStorageBufferBindingSize: bytes };
  // Of the device nothing but the limits is looked at, and of the facts nothing but the kind.
  return { facts: { software }, device: { limits } } as Parameters<typeof checkMemory>[0];
}

const XL = { name: "gpt2-xl", config: PRESETS["gpt2-xl"] };
const STORAGE = { tileGroup: 4 };
const silent = { say: (line: string) => assert.fail(line) };

Deno.test("checkMemory() names both numbers where a tensor is larger than a binding", () => {
  assert.throws(() => checkMemory(adapter(false, 2 ** 25), XL, STORAGE, silent), {
    name: "KvbenchError",
    message:
      /^gpt2-xl does not fit: a layer's feed-forward matrix takes 39\.1 MiB, this adapter binds at most 32\.0 MiB;/,
  });
});

Deno.test({
  name: "checkMemory() names both numbers where a software adapter's machine has too little",
  permissions: { sys: ["systemMemoryInfo"] },
  fn: () => {
    const huge = { name: "huge", config: { ...PRESETS["gpt2-xl"], nLayer: 1_000_000 } };
    assert.throws(() => checkMemory(adapter(true, 2 ** 31), huge, STORAGE, silent), {
      name: "KvbenchError",
      message:
        /^huge does not fit: it needs [\d.]+ TiB \(weights [\d.]+ TiB, K\/V [^)]+\), this machine has [\d.]+ GiB free;/,
    });
    checkMemory(
      adapter(true, 2 ** 31),
      { name: "x", config: { ...XL.config, nLayer: 1 } },
      STORAGE,
      silent,
    );
  },
});

Deno.test({
  name: "checkMemory() says what a large model needs where nobody tells what is free",
  permissions: { sys: false },
  fn: () => {
    for (
      const [software, why] of [[true, "needs --allow-sys=systemMemoryInfo"], [
        false,
        "WebGPU does not tell",
      ]] as const
    ) {
      const lines: string[] = [];
      checkMemory(adapter(software, 2 ** 31), XL, STORAGE, { say: (line) => lines.push(line) });
      assert.equal(lines.length, 1);
      assert.match(
        lines[0]!,
        /^Whether gpt2-xl fits is unknown: it needs [\d.]+ GiB \(weights [\d.]+ GiB, K\/V [^)]+\), and /,
      );
      assert.ok(lines[0]!.includes(why), lines[0]);
      checkMemory(
        adapter(software, 2 ** 31),
        { name: "gpt2", config: PRESETS.distilgpt2 },
        STORAGE,
        silent,
      );
    }
  },
});
