/** Writes files that are too large for the memory, part by part. */

/** Writes the parts one after the other under another name, and renames the file when it is whole. */
export async function writeParts(
  path: string,
  parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const unfinished = `${path}.part`;
  {
    using file = await Deno.open(unfinished, { write: true, create: true, truncate: true });
    for await (const part of parts) {
      for (let written = 0; written < part.length;) written += await file.write(part.subarray(written));
    }
  }
  await Deno.rename(unfinished, path);
}
