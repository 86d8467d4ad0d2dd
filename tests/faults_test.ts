/**
 * What goes wrong on the way is a typed error of one clear line: nothing stays on the ledger, what was measured is kept
 * and marked, and the runtime's crashes are never reached.
 */
import assert from "node:assert/strict";
import { benchCommand } from "../src/cli/commands/bench.ts";
import { crashReport, noteCrash, withoutSecrets } from "../src/cli/session/crash_report.ts";
import { main } from "../src/cli/main.ts";
import {
  DeviceLostError,
  KernelError,
  KvbenchError,
  OutOfMemoryError,
  UsageError,
} from "../src/base/errors.ts";
import type { Gpu } from "../src/gpu/gpu.ts";
import { openGpu } from "../src/host/gpu.ts";
import { createKernel } from "../src/gpu/kernel.ts";
import { parseResult } from "../src/measure/record/result.ts";
import { Gpt2 } from "../src/model/gpt2.ts";
import { inScratch, namesIn } from "./cli_support.ts";
import { DYNAMIC, NO_CACHE, paged, STATIC, withDecoder } from "./decode_support.ts";
import { AWKWARD, randomCheckpoint } from "./fixtures/checkpoint.ts";
import { permitted } from "./permitted.ts";

const ignore = !permitted("read", "write", "env");
const QUICK = ["--no-autotune", "--runs", "1", "--warmup", "0", "--strategies", "kv-cache"];

/** Replaces a method while `body` runs. */
async function replacing<O, K extends keyof O>(
  object: O,
  key: K,
  make: (original: O[K]) => O[K],
  body: () => Promise<void>,
): Promise<void> {
  const original = object[key];
  object[key] = make(original);
  try {
    await body();
  } finally {
    object[key] = original;
  }
}

/** Opens a GPU and a model of its own, and checks that nothing is left on the ledger. */
async function withOwnModel(body: (gpu: Gpu, model: Gpt2) => Promise<void>): Promise<void> {
  const gpu = await openGpu();
  const { checkpoint } = await randomCheckpoint(AWKWARD);
  const model = await Gpt2.load(gpu, checkpoint);
  checkpoint.close();
  try {
    await body(gpu, model);
  } finally {
    model.dispose();
  }
  assert.equal(gpu.ledger.current.total, 0);
  gpu.abandon();
}

const LOST = {
  name: "DeviceLostError",
  message: /^The GPU device was lost \(destroyed\): [^\n]+; begin again$/,
};

for (const variant of [NO_CACHE, STATIC, DYNAMIC, paged(7)]) {
  Deno.test(`A device that is lost while ${variant.name} decodes is a DeviceLostError, and all is freed`, async () => {
    await withOwnModel(async (gpu, model) => {
      await withDecoder(model, { variant }, async (decoder) => {
        decoder.begin([[1, 2, 3]]);
        decoder.advance(4);
        gpu.device.destroy();
        decoder.advance(4); // WebGPU takes calls on a lost device, and does nothing
        await assert.rejects(decoder.ids(0), LOST);
        await assert.rejects(decoder.ids(0), LOST);
      });
    });
  });
}

Deno.test("A device that is lost while a readback is under way is a DeviceLostError", async () => {
  await withOwnModel(async (gpu, model) => {
    await withDecoder(model, { variant: STATIC }, async (decoder) => {
      decoder.begin([[1, 2, 3]]);
      decoder.advance(8);
      const reading = decoder.ids(0);
      gpu.device.destroy();
      await assert.rejects(reading, LOST);
    });
  });
});

Deno.test("A device that is lost while weights are loaded or kernels compiled is a DeviceLostError", async () => {
  for (const when of ["loading", "compiling"]) {
    const gpu = await openGpu();
    const { checkpoint } = await randomCheckpoint(AWKWARD);
    if (when === "compiling") {
      gpu.device.destroy();
      const spec = {
        files: [{ name: "a.wgsl", code: "@compute @workgroup_size(1) fn main() {}" }],
        groups: [],
      };
      await assert.rejects(createKernel(gpu.device, spec), LOST);
    }
    const loading = Gpt2.load(gpu, checkpoint, { onProgress: () => gpu.device.destroy() });
    await assert.rejects(loading, LOST);
    assert.equal(gpu.ledger.current.total, 0);
    checkpoint.close();
    gpu.abandon();
  }
});

Deno.test("A buffer that the GPU has no memory for is an OutOfMemoryError, and all is freed", async () => {
  await withOwnModel(async (gpu, model) => {
    const { createBuffer } = gpu.device;
    gpu.device.createBuffer = (descriptor) => {
      // WebGPU reports it later: the buffer is there, and invalid.
      const error = new GPUOutOfMemoryError("Not enough memory left.");
      gpu.device.dispatchEvent(new GPUUncapturedErrorEvent("uncapturederror", { error, cancelable: true }));
      return createBuffer.call(gpu.device, descriptor);
    };
    const decoding = withDecoder(model, { variant: STATIC }, async (decoder) => {
      decoder.begin([[1, 2, 3]]);
      decoder.advance(2);
      await decoder.ids(0);
    });
    await assert.rejects(decoding, {
      name: "OutOfMemoryError",
      message:
        /^The GPU has no memory left .+: Not enough memory left\. The ledger holds \d+ bytes; a smaller --model/,
    });
  });
});

Deno.test("An adapter that is gone before it gives a device is a NoAdapterError", async () => {
  await replacing(
    GPUAdapter.prototype,
    "requestDevice",
    () => () => Promise.reject(new Error("Adapter is gone")),
    async () => {
      await assert.rejects(openGpu(), {
        name: "NoAdapterError",
        message: /gives no device: Adapter is gone$/,
      });
    },
  );
  await replacing(GPU.prototype, "requestAdapter", () => () => Promise.resolve(null), async () => {
    await assert.rejects(openGpu(), { name: "NoAdapterError", message: /^No WebGPU adapter: expected/ });
  });
});

/** Runs `bench` on two settings, lets `fail` break something once the first is in the file, and reads what is left. */
async function breakBench(fail: () => void, error: { name: string; message: RegExp }) {
  await inScratch(async (folder) => {
    const path = `${folder}/r.json`;
    const args = [...QUICK, "--sweep", "new-tokens=2,150", "--json", path];
    const measured = async () => parseResult(JSON.parse(await Deno.readTextFile(path)), path);
    const lines: string[] = [];
    const { log, error: logError } = console;
    console.log = () => {};
    console.error = (line: string) => lines.push(line);
    let failed = false;
    const watch = setInterval(async () => {
      const cells = await measured().then(({ cells }) => cells.length, () => 0);
      if (cells === 0 || failed) return;
      failed = true;
      fail();
    }, 10);
    try {
      await assert.rejects(benchCommand().parseAsync(args, { from: "user" }), error);
    } finally {
      clearInterval(watch);
      Object.assign(console, { log, error: logError });
    }
    const { complete, cells } = await measured();
    assert.deepEqual([complete, cells.length, namesIn(folder)], [false, 1, ["r.json"]]);
    assert.match(
      lines.at(-1)!,
      /^kvbench: Interrupted with 1 of 2 cells measured, in .+ Resume with: kvbench bench --resume/,
    );
  });
}

Deno.test("A device that is lost in the middle of bench ends it, and what was measured is kept and marked", {
  ignore,
}, async () => {
  let device: GPUDevice | undefined;
  await replacing(
    GPUAdapter.prototype,
    "requestDevice",
    (original) =>
      async function (this: GPUAdapter, descriptor) {
        return device = await original.call(this, descriptor);
      },
    () => breakBench(() => device!.destroy(), LOST),
  );
});

Deno.test(
  "A disk that is full in the middle of bench ends it, and the result is as it was",
  { ignore },
  async () => {
    let full = false;
    await replacing(Deno.FsFile.prototype, "write", (original) =>
      function (this: Deno.FsFile, bytes) {
        if (full) return Promise.reject(new Error("No space left on device (os error 28)"));
        return original.call(this, bytes);
      }, () =>
      breakBench(() => full = true, {
        name: "KvbenchError",
        message: /^Cannot write .+r\.json: No space left on device \(os error 28\)$/,
      }));
  },
);

Deno.test("The calls that make the runtime panic are never made", { ignore }, async () => {
  const wasMapped = new WeakSet<GPUBuffer>();
  let maps = 0, ranges = 0, early = 0, writes = 0;
  const { mapAsync, getMappedRange } = GPUBuffer.prototype;
  const { writeBuffer } = GPUQueue.prototype;
  GPUBuffer.prototype.mapAsync = async function (...args) {
    maps++;
    await mapAsync.apply(this, args);
    wasMapped.add(this);
  };
  GPUBuffer.prototype.getMappedRange = function (...args) {
    ranges++;
    if (!wasMapped.has(this)) early++;
    return getMappedRange.apply(this, args);
  };
  GPUQueue.prototype.writeBuffer = function (buffer, offset, data, first, size) {
    writes++;
    assert.ok((size ?? data.byteLength) > 0, "writeBuffer() with nothing to write");
    writeBuffer.call(this, buffer, offset, data, first, size);
  };
  const { log } = console;
  console.log = () => {};
  try {
    const args = ["--no-autotune", "--runs", "1", "--warmup", "0", "--new-tokens", "2", "--json", "-"];
    await benchCommand().parseAsync(args, { from: "user" });
  } finally {
    console.log = log;
    Object.assign(GPUBuffer.prototype, { mapAsync, getMappedRange });
    GPUQueue.prototype.writeBuffer = writeBuffer;
  }
  assert.equal(early, 0, "getMappedRange() before a map of the buffer has ever resolved");
  assert.ok(maps > 5 && ranges === maps && writes > 20, `${maps} maps, ${ranges} ranges, ${writes} writes`);
});

Deno.test("The runtime still panics where a range is asked for too early, and where nothing is written", {
  ignore: !permitted("run"),
}, async () => {
  const open = "const d = await (await navigator.gpu.requestAdapter()).requestDevice();";
  const early =
    `${open} const b = d.createBuffer({ size: 16, usage: 9 }); b.mapAsync(1); b.getMappedRange();`;
  const empty =
    `${open} const b = d.createBuffer({ size: 16, usage: 8 }); d.queue.writeBuffer(b, 0, new Uint8Array());`;
  for (const code of [early, empty]) {
    const options = { args: ["eval", code], stdout: "null", stderr: "piped" } as const;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      ...options,
      args: [...options.args],
    }).output();
    // Where this fails the runtime was mended: the comments that warn of it can go.
    assert.ok(!success && new TextDecoder().decode(stderr).includes("panicked"));
  }
});

Deno.test(
  "The runtime hands over at once the bytes of a buffer that was mapped before, whatever becomes of it",
  {
    ignore: !permitted("run"),
  },
  async () => {
    const code = `
    const device = await (await navigator.gpu.requestAdapter()).requestDevice();
    const buffer = device.createBuffer({ size: 8, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const source = device.createBuffer({ size: 8, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
    await buffer.mapAsync(GPUMapMode.READ);
    buffer.unmap();
    const read = () => {
      const mapped = buffer.mapAsync(GPUMapMode.READ);
      mapped.catch(() => {});
      return { mapped, value: new Uint32Array(buffer.getMappedRange())[0] };
    };
    for (let i = 0; i < 300; i++) {
      device.queue.writeBuffer(source, 0, Uint32Array.of(i, i));
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, 0, buffer, 0, 8);
      device.queue.submit([encoder.finish()]);
      const { mapped, value } = read();
      buffer.unmap();
      if (value !== i) throw new Error(value + " in place of " + i);
      if (i % 100 === 99) await mapped; // a late promise must not spoil the next map
    }
    const { mapped } = read();
    buffer.unmap();
    buffer.destroy();
    await mapped;
    const other = device.createBuffer({ size: 8, usage: GPUBufferUsage.MAP_READ });
    await other.mapAsync(GPUMapMode.READ);
    other.unmap();
    device.destroy();
    other.mapAsync(GPUMapMode.READ).catch(() => {});
    try {
      other.getMappedRange();
    } catch (error) {
      console.log(error.message);
    }`;
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: ["eval", code] })
      .output();
    const decoder = new TextDecoder();
    assert.ok(success, decoder.decode(stderr));
    assert.match(decoder.decode(stdout), /not mapped/);
  },
);

Deno.test("A failure of the GPU and a defect have a crash report; other errors say all there is", async () => {
  for (const error of [new KvbenchError("x"), new UsageError("x"), new Deno.errors.NotCapable("x")]) {
    assert.equal(crashReport(error, []), undefined);
  }
  const gpu = await openGpu();
  const kv = gpu.ledger.createBuffer({ label: "kv", category: "kv", bytes: 4096 });
  for (
    const error of [
      new DeviceLostError("x"),
      new OutOfMemoryError("x"),
      new KernelError("x"),
      new TypeError("x"),
    ]
  ) {
    noteCrash(error, { phase: "running", gpu });
    noteCrash(error, { phase: "later", gpu });
    const report = crashReport(error, ["serve", "--api-key", "hunter2"])!;
    const [title, ...json] = report.split("\n");
    assert.equal(title, "Crash report, for a bug report:");
    const { phase, command, adapter, ledger } = JSON.parse(json.join("\n"));
    assert.deepEqual([phase, command], ["running", ["serve", "--api-key", "…"]]);
    assert.equal(adapter.description, gpu.facts.description);
    assert.deepEqual(ledger.largest, [{ label: "kv", category: "kv", buffers: 1, bytes: 4096 }]);
    assert.ok(!report.includes("hunter2"));
  }
  kv.destroy();
  gpu.dispose();
});

Deno.test("withoutSecrets() replaces the values of secret options and nothing else", () => {
  assert.deepEqual(
    withoutSecrets(["serve", "--api-key=k", "--hub-secret", "s", "--prompt-tokens", "8", "text"]),
    ["serve", "--api-key=…", "--hub-secret", "…", "--prompt-tokens", "8", "text"],
  );
});

Deno.test(
  "The program ends with code 1, one line and a crash report where the device is lost",
  { ignore },
  async () => {
    const { error, log } = console;
    const { exitCode } = Deno;
    const lines: string[] = [];
    Object.assign(console, { error: (line: string) => lines.push(line), log: () => {} });
    try {
      await replacing(
        GPUAdapter.prototype,
        "requestDevice",
        (original) =>
          async function (this: GPUAdapter, descriptor) {
            const device = await original.call(this, descriptor);
            setTimeout(() => device.destroy(), 300);
            return device;
          },
        () => main(["bench", ...QUICK, "--new-tokens", "500", "--json", "-"]),
      );
      assert.equal(Deno.exitCode, 1);
    } finally {
      Object.assign(console, { error, log });
      Deno.exitCode = exitCode;
    }
    const at = lines.findIndex((line) =>
      /^kvbench: The GPU device was lost \(destroyed\): [^\n]+$/.test(line)
    );
    assert.ok(at >= 0, lines.join("\n"));
    assert.match(
      lines[at + 1]!,
      /^Crash report[^{]+\{[^]+"phase": "(running|loading weights)"[^]+"ledger"[^]+\}$/,
    );
    const { ledger } = JSON.parse(lines[at + 1]!.split("\n").slice(1).join("\n"));
    assert.ok(ledger.current_bytes.total > 0 && ledger.largest.length > 0, "what was alive when it was lost");
  },
);
