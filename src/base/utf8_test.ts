import assert from "node:assert/strict";
import { decodeUtf8 } from "./utf8.ts";

Deno.test("decodeUtf8() decodes UTF-8, without its byte order mark", () => {
  for (const text of ["", "plain", "深度学习", "🙂 \ufffd"]) {
    assert.equal(decodeUtf8(new TextEncoder().encode(text), "x"), text);
    assert.equal(decodeUtf8(new TextEncoder().encode("\ufeff" + text), "x"), text);
  }
});

Deno.test("decodeUtf8() says which source is none, and from which byte on", () => {
  const good = [...new TextEncoder().encode("é深")]; // 5 bytes
  const wrong: readonly (readonly [bytes: number[], at: number])[] = [
    [[0xff], 0],
    [[...good, 0xff, 65], 5],
    [[...good, 0xe6, 0xb7], 5], // breaks off
    [[...good, 0xef, 0xbf], 5], // as the replacement character begins
    [[...good, 0xed, 0xa0, 0x80], 5], // half of a surrogate pair
    [[...good, 0xc0, 0x80], 5], // longer than it need be
    [[0x63, 0x61, 0x66, 0xe9], 3], // Latin-1
  ];
  for (const [bytes, at] of wrong) {
    assert.throws(() => decodeUtf8(Uint8Array.from(bytes), "stdin"), {
      name: "KvbenchError",
      message: new RegExp(`^stdin is not UTF-8 from byte ${at} on: expected UTF-8 text, [^\n]+$`),
    });
  }
});
