/**
 * The backend of an adapter in whole processes: with DENO_WEBGPU_BACKEND, and where no Vulkan driver can be found.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { askBackends } from "../src/cli/session/backends.ts";
import { ignore, kvbench, runDeno, WEIGHTS } from "./cli_support.ts";

const SETUP = fileURLToPath(new URL("../tools/setup.ts", import.meta.url));
const READ_WEIGHTS = `--allow-read=${WEIGHTS}`;
/** Makes the Vulkan loader find no driver, by its old name and its new one. */
const NO_VULKAN = { VK_DRIVER_FILES: "/nowhere.json", VK_ICD_FILENAMES: "/nowhere.json" };
const linux = Deno.build.os === "linux";

Deno.test("doctor names the backend that each child process is asked for, by signs where it may not ask", {
  ignore,
}, async () => {
  const found = await askBackends();
  assert.ok(found.length > 0);
  for (const { backend, description } of found) {
    const env = { DENO_WEBGPU_BACKEND: backend };
    const signs = await kvbench(["doctor", "--json"], { flags: [READ_WEIGHTS], env });
    assert.equal(signs.code, 0, signs.stderr);
    const seen = JSON.parse(signs.stdout);
    const expected = linux ? backend : seen.adapter.backend;
    assert.deepEqual([seen.adapter.backend, seen.backends.in_use, seen.backends.offers], [
      expected,
      expected,
      null,
    ]);

    const asks = [READ_WEIGHTS, "--allow-run", "--allow-env=DENO_WEBGPU_BACKEND"];
    const { backends } = JSON.parse((await kvbench(["doctor", "--json"], { flags: asks, env })).stdout);
    assert.equal(backends.in_use, backend);
    for (const each of found) assert.equal(backends.offers[each.backend], each.description);
    assert.equal(backends.offers[backend], description);
    if (backend === "gl") {
      assert.match(backends.advice, /^OpenGL compiles .* For Vulkan, unset DENO_WEBGPU_BACKEND/);
    } else assert.equal(backends.advice, null);
  }
});

Deno.test(
  "Set-up takes OpenGL in software for no adapter, says so, and goes on with it where it can't install",
  {
    ignore: ignore || !linux,
  },
  async () => {
    const [openGl] = await askBackends(["gl"]);
    // Without read permission it finds no package manager.
    const flags = [
      "--no-prompt",
      "--allow-env=XDG_RUNTIME_DIR,DENO_WEBGPU_BACKEND",
      "--allow-sys=uid",
      "--allow-run",
    ];
    const setUp = (env: Record<string, string>) => runDeno(["run", ...flags, SETUP], { env });
    const { code, stderr } = await setUp(NO_VULKAN);
    if (openGl === undefined) {
      assert.equal(code, 1);
      assert.match(stderr, /^error: No WebGPU adapter: expected/m);
    } else if (openGl.software) {
      assert.equal(code, 0, stderr);
      assert.match(
        stderr,
        /^note: Only OpenGL in software: expected a Vulkan driver.*\nAdapter: .*, software, OpenGL$/m,
      );
      const asked = await setUp({ DENO_WEBGPU_BACKEND: "gl" });
      assert.equal(asked.code, 0);
      assert.match(asked.stderr, /^Adapter: .*, software, OpenGL, as DENO_WEBGPU_BACKEND asks$/m);
      assert.ok(!asked.stderr.includes("note"), asked.stderr);
    } else {
      assert.match(stderr, /^Adapter: .*, OpenGL$/m);
    }
  },
);

Deno.test("A backend that does not exist is an error that names the variable", { ignore }, async () => {
  const env = { DENO_WEBGPU_BACKEND: "glide" };
  const flags = ["--no-prompt", "--allow-env=XDG_RUNTIME_DIR,DENO_WEBGPU_BACKEND", "--allow-run"];
  const setUp = await runDeno(["run", ...flags, SETUP], { env });
  assert.equal(setUp.code, 1);
  assert.match(setUp.stderr, /^error: DENO_WEBGPU_BACKEND is "glide": expected .+, or no such variable$/m);
  if (linux) {
    const none = await runDeno(["run", ...flags, SETUP], {
      env: {
        ...NO_VULKAN,
        DENO_WEBGPU_BACKEND: "gl",
        LIBGL_DRIVERS_PATH: "/nowhere",
        __EGL_VENDOR_LIBRARY_FILENAMES: "/nowhere.json",
      },
    });
    assert.equal(none.code, 1);
    assert.match(
      none.stderr,
      /^error: DENO_WEBGPU_BACKEND is "gl", and gives no WebGPU adapter: expected another/m,
    );
  }
  const doctor = await kvbench(["doctor"], { flags: [READ_WEIGHTS, "--allow-env=DENO_WEBGPU_BACKEND"], env });
  assert.equal(doctor.code, 1);
  assert.match(doctor.stderr, /No WebGPU adapter: .* unset DENO_WEBGPU_BACKEND, which is "glide"/);
});
