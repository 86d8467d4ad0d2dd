/**
 * Tests of the safetensors reader: conversions against known bits, damage of every kind by name, and the
 * property that no bytes whatever make it throw anything but a KvbenchError.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { KvbenchError } from "../base/errors.ts";
import { fileSource } from "../host/files.ts";
import { type ByteSource, memorySource } from "./byte_source.ts";
import { SafetensorsFile } from "./safetensors.ts";
import { permitted } from "../../tests/permitted.ts";
import { runs } from "../../tests/fuzz.ts";

/** A file with this header and this many bytes of data. */
function encode(header: unknown, data: Uint8Array | number = 0): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const body = typeof data === "number" ? new Uint8Array(data) : data;
  const bytes = new Uint8Array(8 + text.length + body.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(body, 8 + text.length);
  return bytes;
}

function open(bytes: Uint8Array<ArrayBuffer>): Promise<SafetensorsFile> {
  return SafetensorsFile.open(memorySource(bytes), "m.safetensors");
}

async function assertRefused(bytes: Uint8Array<ArrayBuffer>, message: RegExp): Promise<void> {
  await assert.rejects(open(bytes), (error: unknown) => {
    assert(error instanceof KvbenchError);
    assert.match(error.message, /^Cannot use m\.safetensors: /);
    assert.match(error.message, message);
    assert(!error.message.includes("\n"));
    return true;
  });
}

const f32 = (shape: number[], begin: number, end: number) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

Deno.test("SafetensorsFile reads F32, F16 and BF16, also where the data is not aligned", async () => {
  const values = [0, -0, 1, -2.5, 65504, 2 ** -24, Infinity, -Infinity, NaN];
  const n = values.length;
  const wide = Float32Array.from(values);
  const half = Float16Array.from(values);
  const brain = new Uint16Array(wide.buffer.slice(0)).filter((_, i) => i % 2 === 1); // the upper halves
  const data = [wide, half, brain].flatMap((array) => [...new Uint8Array(array.buffer)]);
  for (const padding of ["", " ", "  ", "   "]) {
    const header = JSON.stringify({
      __metadata__: { format: "pt" },
      a: { dtype: "F32", shape: [n], data_offsets: [0, 4 * n] },
      b: { dtype: "F16", shape: [n], data_offsets: [4 * n, 6 * n] },
      c: { dtype: "BF16", shape: [3, n / 3], data_offsets: [6 * n, 8 * n] },
    });
    const file = await open(encode(header + padding, Uint8Array.from(data)));
    assert.deepEqual([...file.tensors.keys()], ["a", "b", "c"]);
    assert.deepEqual(file.tensors.get("c")?.shape, [3, 3]);
    assert.deepEqual(await file.readF32("a"), wide);
    assert.deepEqual(await file.readF32("b"), wide);
    const expected = new Uint32Array(wide.buffer.slice(0)).map((bits) => bits & 0xffff0000);
    assert.deepEqual(await file.readF32("c"), new Float32Array(expected.buffer));
  }
});

Deno.test("SafetensorsFile reads every F16 bit pattern as the format defines it", async () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const header = { x: { dtype: "F16", shape: [256, 256], data_offsets: [0, 131072] } };
  const read = await (await open(encode(header, new Uint8Array(all.buffer)))).readF32("x");
  read.forEach((value, bits) => {
    const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    const finite = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
    const expected = exponent < 31 ? sign * finite : fraction ? NaN : sign * Infinity;
    if (!Object.is(value, expected)) assert.fail(`${bits}: ${value}, not ${expected}`);
  });
});

Deno.test(
  "SafetensorsFile reads the header alone when it opens",
  { ignore: !permitted("read") },
  async () => {
    const source = await fileSource(new URL("../../weights/tiny/model.safetensors", import.meta.url));
    let bytesRead = 0;
    const counted: ByteSource = {
      size: source.size,
      read: (offset, length) => {
        bytesRead += length;
        return source.read(offset, length);
      },
      sha256: () => source.sha256(),
      close: () => source.close(),
    };
    const file = await SafetensorsFile.open(counted, "tiny");
    assert.equal(file.tensors.size, 76);
    assert.equal(bytesRead, 8 + 6640);
    assert.equal((await file.readF32("ln_f.bias")).length, 128);
    assert.equal(bytesRead, 8 + 6640 + 256);
    file.close();
  },
);

Deno.test("SafetensorsFile takes scalars, empty tensors and an empty file", async () => {
  assert.equal((await open(encode({}))).tensors.size, 0);
  const file = await open(encode({ s: f32([], 4, 8), e: f32([0, 7], 4, 4), t: f32([1], 0, 4) }, 8));
  assert.equal((await file.readF32("s")).length, 1);
  assert.equal((await file.readF32("e")).length, 0);
});

Deno.test("SafetensorsFile.readF32() names a tensor that is not there or not a float", async () => {
  const file = await open(encode({ i: { dtype: "I64", shape: [1], data_offsets: [0, 8] } }, 8));
  await assert.rejects(file.readF32("x"), { name: "KvbenchError", message: /has no tensor "x"$/ });
  await assert.rejects(file.readF32("i"), {
    name: "KvbenchError",
    message: 'Cannot use m.safetensors: tensor "i" is I64, expected F32, F16 or BF16',
  });
});

Deno.test("SafetensorsFile refuses a damaged header", async () => {
  await assertRefused(new Uint8Array(0), /it has 0 bytes, expected a header of at least 8$/);
  await assertRefused(new Uint8Array(7), /it has 7 bytes/);
  await assertRefused(new Uint8Array(8), /header is not JSON$/);
  await assertRefused(new Uint8Array(64).fill(255), /header of \d+ bytes ends beyond the file of 64/);
  await assertRefused(
    encode({ a: f32([1], 0, 4) }, 4).subarray(0, 30),
    /ends beyond the file of 30, it is trunc/,
  );
  await assertRefused(encode("{"), /header is not JSON$/);
  await assertRefused(encode("\u0000"), /header is not JSON$/);
  await assertRefused(encode("[]"), /header is not a JSON object$/);
  await assertRefused(encode("null"), /header is not a JSON object$/);
  const notUtf8 = encode('{"a":"?"}');
  notUtf8[14] = 0xff;
  await assertRefused(notUtf8, /header is not JSON$/);
});

Deno.test("SafetensorsFile refuses a header that is too large", async () => {
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, 100_000_001n, true);
  const source: ByteSource = { ...memorySource(prefix), size: 1e9, read: () => Promise.resolve(prefix) };
  await assert.rejects(SafetensorsFile.open(source, "m"), {
    message: /100000001 bytes, expected at most 100000000$/,
  });
});

Deno.test("SafetensorsFile refuses a tensor that is described wrongly, by name", async () => {
  const refused = (entry: unknown, message: RegExp) => assertRefused(encode({ "h.0.x": entry }, 8), message);
  await refused(1, /tensor "h\.0\.x" has no dtype$/);
  await refused({ shape: [2], data_offsets: [0, 8] }, /tensor "h\.0\.x" has no dtype$/);
  await refused({ ...f32([2], 0, 8), dtype: "F7" }, /tensor "h\.0\.x" has the unknown dtype "F7"$/);
  await refused({ ...f32([2], 0, 8), shape: "2" }, /tensor "h\.0\.x" has no shape/);
  await refused(f32([-2], 0, 8), /tensor "h\.0\.x" has no shape/);
  await refused({ ...f32([2], 0, 8), data_offsets: [0] }, /tensor "h\.0\.x" has no data_offsets/);
  await refused(f32([2], 0.5, 8.5), /tensor "h\.0\.x" has no data_offsets/);
  await refused(f32([3], 0, 8), /tensor "h\.0\.x" is F32 \[3\] in 8 bytes, expected 12$/);
  await refused(f32([2], 8, 0), /in -8 bytes, expected 8$/);
  await refused(f32([2 ** 52, 2 ** 52, 2 ** 52], 0, 8), /in 8 bytes, expected/);
});

Deno.test("SafetensorsFile refuses tensors that overlap, leave holes, or end beyond the file", async () => {
  const a = f32([1], 0, 4);
  await assertRefused(
    encode({ a, b: f32([2], 4, 12) }, 8),
    /tensor "b" ends at byte \d+ of \d+, the file is trunc/,
  );
  await assertRefused(encode({ a, b: f32([2], 0, 8) }, 8), /tensor "b" overlaps the tensor before it$/);
  await assertRefused(
    encode({ a, b: f32([1], 8, 12) }, 12),
    /4 bytes before tensor "b" belong to no tensor$/,
  );
  await assertRefused(encode({ a }, 9), /its last 5 bytes belong to no tensor$/);
  await assertRefused(encode({ ["x\n".repeat(99)]: f32([1], 8, 12) }, 12), /before tensor ".{1,200}" belong/);
});

/** Opens and reads everything: whatever the bytes are, only a KvbenchError may come out. */
async function readAll(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  try {
    const file = await open(bytes);
    for (const [name, { shape }] of file.tensors) {
      const values = await file.readF32(name);
      assert.equal(values.length, shape.reduce((product, n) => product * n, 1));
    }
  } catch (error) {
    if (!(error instanceof KvbenchError) || error.message.includes("\n")) throw error;
  }
}

Deno.test("SafetensorsFile throws nothing but KvbenchError on random bytes", async () => {
  const length = fc.constantFrom(0, 1, 2, 8, 20);
  const bytes = fc.tuple(length, fc.uint8Array({ maxLength: 40 })).map((
    [n, tail],
  ) => [n, 0, 0, 0, 0, 0, 0, 0, ...tail]);
  const input = fc.oneof(fc.uint8Array({ maxLength: 80 }), bytes.map((list) => Uint8Array.from(list)));
  await fc.assert(fc.asyncProperty(input, readAll), { numRuns: runs(500), seed: 1 });
});

Deno.test("SafetensorsFile throws nothing but KvbenchError on any JSON header", async () => {
  const odd = fc.oneof(fc.jsonValue(), fc.integer(), fc.constantFrom("F16", "F32", [0, 4], [1], [2 ** 53]));
  const entry = fc.oneof(
    fc.jsonValue(),
    fc.record({ dtype: odd, shape: odd, data_offsets: odd }, { requiredKeys: [] }),
  );
  const header = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("__proto__", "__metadata__")), entry);
  const input = fc.tuple(header, fc.nat(16)).map(([json, size]) => encode(json, size));
  await fc.assert(fc.asyncProperty(input, readAll), { numRuns: runs(500), seed: 2 });
});

Deno.test("SafetensorsFile throws nothing but KvbenchError on a valid file with bytes changed or cut off", async () => {
  const valid = encode({
    __metadata__: { format: "pt" },
    "wte.weight": { dtype: "F16", shape: [2, 3], data_offsets: [0, 12] },
    "ln_f.bias": f32([2], 12, 20),
  }, 20);
  const change = fc.tuple(
    fc.nat(valid.length - 1),
    fc.oneof(fc.nat(255), fc.constantFrom(48, 57, 44, 45, 93)),
  );
  const input = fc.tuple(fc.array(change, { maxLength: 4 }), fc.nat(valid.length)).map(([changes, cut]) => {
    const bytes = valid.slice(0, cut % 3 === 0 ? cut : valid.length);
    for (const [at, value] of changes) bytes[at] = value;
    return bytes;
  });
  await fc.assert(fc.asyncProperty(input, readAll), { numRuns: runs(2000), seed: 3 });
});
