/**
 * Every implementation of WebGPU computes what the CPU references do, and the table of `docs/conformance.md` is that
 * of the last whole run (`deno task conformance`).
 */
import assert from "node:assert/strict";
import { askBackends } from "../src/cli/session/backends.ts";
import { IMPLEMENTATIONS } from "../tools/conformance/implementations.ts";
import { type ConformanceRecord, recordOf, supportTable } from "../tools/conformance/record.ts";
import { PAGE, QUICK_TESTS, RECORD, selfTestOn, testsOn } from "../tools/conformance/run.ts";
import { canHaveSwiftShader } from "../tools/conformance/swiftshader.ts";
import { partOf } from "../tools/marked_part.ts";
import { permitted } from "./permitted.ts";

const OTHERS = IMPLEMENTATIONS.filter(({ driver }) => driver !== "system");
/** Every test but those of narrower K and V in one kind of memory and another: compilers get the types in one. */
const ONE_KIND = "--filter=/^[^k]|kv_write.wgsl copies|\\(paged by 16\\)/";

Deno.test(
  `Each kernel equals its reference, and the model its golden logits, on ${OTHERS.length} other WebGPUs`,
  {
    ignore: !permitted("read", "write", "run", "env") || !canHaveSwiftShader,
  },
  async () => {
    const records = await Promise.all(OTHERS.map((each) => selfTestOn(each, "--quick")));
    for (const [i, { environment, checks }] of records.entries()) {
      const { title, webgpu } = OTHERS[i]!;
      assert.equal(environment.webgpu, webgpu);
      assert.match(environment.adapter.description, /swiftshader/i);
      assert.ok(environment.adapter.features.includes("subgroups"), title); // which Deno grants unlisted
      for (const { kernel, verdict, detail } of checks) {
        assert.equal(
          verdict,
          "right",
          `${title}, ${kernel}: ${detail}`,
        );
      }
      assert.ok(checks.length > 14, title);
      const bySubgroup = checks.some(({ kernel }) => kernel === "linear_row_subgroup.wgsl");
      assert.ok(bySubgroup, title);
    }
    for (const each of OTHERS) {
      const { passed, failed } = await testsOn(each, QUICK_TESTS, ONE_KIND);
      assert.deepEqual(failed, [], each.title);
      assert.ok(passed > 40, `${each.title}: ${passed} tests`);
    }
  },
);

const OPENGL = IMPLEMENTATIONS.find(({ backend }) => backend === "gl")!;
/** OpenGL's libraries are not on every machine. */
const [throughOpenGl] = await askBackends(["gl"]);

Deno.test("The tests of one kernel pass through OpenGL, as they do through Vulkan", {
  ignore: !permitted("read", "write", "run", "env") || throughOpenGl === undefined,
}, async () => {
  const { passed, failed } = await testsOn(OPENGL, ["embedding_kernel"]);
  assert.deepEqual(failed, []);
  assert.ok(passed > 4, `${passed} tests`);
});

Deno.test(
  "The table of docs/conformance.md is that of the last conformance run",
  { ignore: !permitted("read") },
  async () => {
    const record: ConformanceRecord = JSON.parse(await Deno.readTextFile(RECORD));
    assert.deepEqual(
      record.implementations.map(({ title }) => title),
      IMPLEMENTATIONS.map(({ title }) => title),
    );
    for (const { title, kernels, tests } of record.implementations) {
      assert.deepEqual(
        [tests?.failed ?? [], Object.values(kernels).every(({ right }) => right)],
        [[], true],
        title,
      );
    }
    const cells = (text: string) =>
      text.split("\n").map((line) => line.replaceAll(/-+/g, "-").replaceAll(" ", ""));
    const part = cells(partOf(await Deno.readTextFile(PAGE), "conformance"));
    for (const line of cells(supportTable(record))) assert.ok(part.includes(line), line);
  },
);

Deno.test("The support table says what is wrong", () => {
  const check = { variant: "", tolerance: 1e-3, detail: "" };
  const environment = { adapter: { description: "Toy", features: ["subgroups", "other"] } };
  const checks = [
    { ...check, kernel: "a.wgsl", largest_error: 1e-4, verdict: "right" },
    { ...check, kernel: "a.wgsl", largest_error: 0.5, verdict: "wrong" },
    { ...check, kernel: "b.wgsl", largest_error: 2e-7, verdict: "right" },
  ];
  const toy = recordOf("Toy", { environment, checks } as unknown as Parameters<typeof recordOf>[1], "quick");
  const record = {
    kvbench: "0",
    deno: "2",
    implementations: [{ ...toy, tests: { files: 1, passed: 4, failed: ["x"] } }],
  };
  const table = supportTable(record);
  assert.match(table, /^\| `a\.wgsl` \| \*\*wrong\*\* 5\.0e-1 \|$/m);
  assert.match(table, /^\| `b\.wgsl` \| 2\.0e-7 \|$/m);
  assert.match(table, /^\| self-test \| quick \|$/m);
  assert.match(table, /^\| kernel and model tests \| \*\*1 of 5 fail\*\* \|$/m);
  assert.match(table, /^\| features \| subgroups \|$/m);
});
