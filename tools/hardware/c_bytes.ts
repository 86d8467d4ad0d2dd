/** Memory as C lays it out, little-endian: words, texts, and structures that begin with their type. */

/** Memory that a driver reads or fills. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Returns a view of bytes for words of several sizes. */
export function view({ buffer, byteOffset, byteLength }: Bytes): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Returns room for a handle. */
export function handle(): Bytes {
  return new Uint8Array(8);
}

/** Returns a word of 32 bits. */
export function word(value: number): Bytes {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

/** Returns a text that ends with a zero. */
export function text(value: string): Bytes {
  return new TextEncoder().encode(`${value}\0`);
}

/** Reads a text up to its zero. */
export function textAt(bytes: Bytes, at: number): string {
  const end = bytes.indexOf(0, at);
  return new TextDecoder().decode(bytes.subarray(at, end < 0 ? bytes.length : end));
}

/** Reads a word of 64 bits. */
export function number(bytes: Bytes): bigint {
  return view(bytes).getBigUint64(0, true);
}

/** Reads an address. */
export function pointer(bytes: Bytes): Deno.PointerObject {
  return Deno.UnsafePointer.create(number(bytes))!;
}

/** Returns a structure that begins with its type and the next one's address. */
export function headed(type: number, bytes: number, next = 0n): Bytes {
  const made: Bytes = new Uint8Array(bytes);
  view(made).setUint32(0, type, true);
  view(made).setBigUint64(8, next, true);
  return made;
}

/** Returns an array of structures that begin with their type. */
export function repeated(type: number, bytes: number, count: number): Bytes {
  const made: Bytes = new Uint8Array(bytes * count);
  for (let i = 0; i < count; i++) view(made).setUint32(i * bytes, type, true);
  return made;
}
