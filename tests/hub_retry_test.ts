/**
 * A hub that fails for a while: a fetch goes on where it was broken off, and the file is right in the end.
 */
import assert from "node:assert/strict";
import { Hub } from "../src/hub/hub.ts";
import { contentOf, cut, type Fault, REPOSITORY, sha256, smallModel, withHub } from "./fixtures/hub.ts";
import {
  assertFails,
  CONTENT,
  fetchModel,
  finals,
  ignore,
  LENGTH,
  onContent,
  status,
  WEIGHTS,
} from "./hub_support.ts";

/** Faults that a fetch gets round. `ranges` is what the content was asked for with. */
const PASSING: readonly (readonly [what: string, fault: () => Fault, ranges: readonly (string | null)[]])[] =
  [
    [
      "cuts the connection in the middle",
      () => onContent((_, answer) => cut(answer(), 1000), 2),
      [null, "bytes=1000-", "bytes=2000-"],
    ],
    ["falls silent", () => onContent((_, answer) => cut(answer(), 1000, "hang"), 1), [null, "bytes=1000-"]],
    ["answers 500 at first", () => onContent(status(500), 2), [null, null, null]],
    ["answers 503 to everything at first", () => {
      const seenFiles = new Set<string>();
      return (seen, answer) => {
        const key = `${seen.method} ${seen.host} ${seen.file}`;
        if (seenFiles.has(key)) return answer();
        seenFiles.add(key);
        return new Response(null, { status: 503 });
      };
    }, [null, null]],
    ["answers 429 for a moment", () => onContent(status(429, { "retry-after": "0" }), 2), [null, null, null]],
    ["sends a body that is short without a length", () =>
      onContent((_, answer) => {
        const { body } = answer();
        return new Response(
          body!.pipeThrough(
            new TransformStream({
              transform: (chunk, controller) => controller.enqueue(chunk.subarray(0, 500)),
            }),
          ),
        );
      }, 1), [null, "bytes=500-"]],
    ["ignores Range", () => {
      let first = true;
      return onContent(({ range }, answer) => {
        if (first) {
          first = false;
          return cut(answer(), 1000);
        }
        assert.equal(range, "bytes=1000-");
        return contentOf({ headers: new Headers() }, CONTENT);
      });
    }, [null, "bytes=1000-"]],
    ["goes on elsewhere than it was asked to", () => {
      let count = 0;
      return onContent((_, answer) => {
        if (count++ === 0) return cut(answer(), 1000);
        if (count > 2) return answer();
        const headers = { "content-range": `bytes 0-${LENGTH - 1}/${LENGTH}` };
        return new Response(CONTENT, { status: 206, headers });
      });
    }, [null, "bytes=1000-", null]],
    ["can't go on", () => {
      let count = 0;
      return onContent((_, answer) => {
        if (count++ === 0) return cut(answer(), 1000);
        return count === 2 ? new Response(null, { status: 416 }) : answer();
      });
    }, [null, "bytes=1000-", null]],
  ];

for (const [what, fault, ranges] of PASSING) {
  Deno.test(`A hub that ${what} is asked again, and the file is right in the end`, { ignore }, async () => {
    await withHub(async (hub, cache) => {
      hub.fault = fault();
      const { folder } = await fetchModel(hub, cache, { timeoutMs: 300 });
      assert.deepEqual(await Deno.readFile(`${folder}/${WEIGHTS}`), CONTENT);
      assert.deepEqual(hub.gets(WEIGHTS).map(({ range }) => range), ranges);
      for (const { range, ifRange } of hub.gets(WEIGHTS)) {
        if (range === null) assert.equal(ifRange, null);
      }
      assert.deepEqual((await finals(cache)).filter((name) => name.includes("incomplete")), []);
    });
  });
}

Deno.test("A hub that hangs is left after the time-out, each time", { ignore }, async () => {
  await withHub(async (hub, cache) => {
    hub.fault = () => new Promise(() => {});
    const started = performance.now();
    const retries: string[] = [];
    await assertFails(
      fetchModel(hub, cache, { timeoutMs: 100, onRetry: (reason) => retries.push(reason) }),
      /config\.json: the server sent nothing for 0\.1 s \(tried 3 times\)$/,
    );
    assert.equal(retries.length, 2);
    assert.ok(performance.now() - started < 5000);
  });
});

Deno.test("A fetch that was broken off is resumed by the next one, with If-Range", { ignore }, async () => {
  await withHub(async (hub, cache) => {
    hub.fault = onContent((_, answer) => cut(answer(), 400));
    await assertFails(fetchModel(hub, cache), /tried 3 times/);
    hub.fault = undefined;
    const before = hub.gets(WEIGHTS).length;
    const { folder } = await fetchModel(hub, cache);
    assert.deepEqual(await Deno.readFile(`${folder}/${WEIGHTS}`), CONTENT);
    const [last, ...more] = hub.gets(WEIGHTS).slice(before);
    assert.deepEqual([last?.range, last?.ifRange, more.length], [
      "bytes=1200-",
      `"store-${sha256(CONTENT).slice(0, 8)}"`,
      0,
    ]);
  });
});

Deno.test("A part that other bytes follow by now is thrown away", { ignore }, async () => {
  await withHub(async (hub, cache) => {
    const blob = `${cache}/models--someone--small-gpt2/blobs/${sha256(CONTENT)}`;
    await Deno.mkdir(blob.replace(/\/[^/]+$/, ""), { recursive: true });
    for (const left of [new Uint8Array(1000), new Uint8Array(LENGTH), new Uint8Array(LENGTH + 1)]) {
      await Deno.writeFile(`${blob}.incomplete`, left);
      const { folder } = await fetchModel(hub, cache);
      assert.deepEqual(await Deno.readFile(`${folder}/${WEIGHTS}`), CONTENT);
      await new Hub(hub.settings(cache)).cache.remove(REPOSITORY);
      await Deno.mkdir(blob.replace(/\/[^/]+$/, ""), { recursive: true });
    }
  });
});

Deno.test("A file that changes between two attempts is fetched in its new version, with its configuration", {
  ignore,
}, async () => {
  await withHub(async (hub, cache) => {
    const newer = await smallModel(2);
    let broken = false;
    hub.fault = onContent((_, answer) => {
      if (broken) return answer();
      broken = true;
      const old = cut(answer(), 1000);
      hub.commit = "d".repeat(40);
      hub.files = newer;
      return old;
    });
    const { folder, commit } = await fetchModel(hub, cache);
    assert.equal(commit, "d".repeat(40));
    assert.deepEqual(await Deno.readFile(`${folder}/${WEIGHTS}`), newer[WEIGHTS]);
    assert.deepEqual(
      (await finals(cache)).filter((name) => name.includes("c".repeat(40) + "/" + WEIGHTS)),
      [],
    );
  });
});
