import assert from "node:assert/strict";
import { permitted } from "../../tests/permitted.ts";
import { HUB_VARIABLES, hubSettings } from "./settings.ts";

function settings(variables: Record<string, string>) {
  return hubSettings((name) => {
    assert.ok(HUB_VARIABLES.includes(name), `${name} is read, and not in HUB_VARIABLES`);
    return variables[name];
  });
}

Deno.test("hubSettings() finds the cache where Hugging Face's tools have it", () => {
  const HOME = "/home/u";
  const cases: [Record<string, string>, string][] = [
    [{ HOME }, "/home/u/.cache/huggingface/hub"],
    [{ HOME, XDG_CACHE_HOME: "/xdg" }, "/xdg/huggingface/hub"],
    [{ HOME, XDG_CACHE_HOME: "/xdg", HF_HOME: "/hf" }, "/hf/hub"],
    [{ HOME, HF_HOME: "~/hf" }, "/home/u/hf/hub"],
    [{ HF_HOME: "/hf", HF_HUB_CACHE: "/cache/" }, "/cache"],
  ];
  for (const [variables, cache] of cases) assert.equal(settings(variables).cache, cache);
  assert.throws(() => settings({}), {
    name: "KvbenchError",
    message: /^There is no folder for models: expected HOME/,
  });
});

Deno.test("hubSettings() takes the endpoint, and refuses one that is no address or holds a password", () => {
  const HOME = "/home/u";
  assert.equal(settings({ HOME }).endpoint.protocol, "https:");
  assert.equal(
    settings({ HOME, HF_ENDPOINT: "http://127.0.0.1:8/mirror/" }).endpoint.href,
    "http://127.0.0.1:8/mirror",
  );
  for (const HF_ENDPOINT of ["x", "ftp://x", "file:///etc", "https://user:pw@x"]) {
    assert.throws(() => settings({ HOME, HF_ENDPOINT }), (error: Error) => {
      assert.match(error.message, /^HF_ENDPOINT /);
      return error.name === "KvbenchError" && !error.message.includes("pw");
    });
  }
});

Deno.test("hubSettings() reads flags and the time-out", () => {
  const HOME = "/home/u";
  for (const HF_HUB_OFFLINE of ["1", "true", "YES", "on"]) {
    assert.ok(settings({ HOME, HF_HUB_OFFLINE }).offline);
  }
  for (const HF_HUB_OFFLINE of ["", "0", "false"]) assert.ok(!settings({ HOME, HF_HUB_OFFLINE }).offline);
  assert.equal(settings({ HOME }).timeoutMs, 10_000);
  assert.equal(settings({ HOME, HF_HUB_DOWNLOAD_TIMEOUT: "0.5" }).timeoutMs, 500);
  for (const HF_HUB_DOWNLOAD_TIMEOUT of ["0", "-1", "soon"]) {
    assert.throws(() => settings({ HOME, HF_HUB_DOWNLOAD_TIMEOUT }), { name: "KvbenchError" });
  }
});

Deno.test("A token comes from the environment or from its file, and is never shown", {
  ignore: !permitted("read", "write"),
}, async () => {
  const HF_HOME = await Deno.makeTempDir();
  try {
    assert.equal(await settings({ HF_HOME }).token(), undefined);
    await Deno.writeTextFile(`${HF_HOME}/token`, "hf_file\n");
    assert.equal(await settings({ HF_HOME }).token(), "hf_file");
    assert.equal(await settings({ HF_HOME, HF_TOKEN: "hf_env" }).token(), "hf_env");
    await Deno.writeTextFile(`${HF_HOME}/other`, "hf_other");
    assert.equal(await settings({ HF_HOME, HF_TOKEN_PATH: `${HF_HOME}/other` }).token(), "hf_other");
    await assert.rejects(settings({ HF_HOME, HF_TOKEN: "hf_a\r\nX: y" }).token(), (error: Error) => {
      return error.name === "KvbenchError" && !error.message.includes("hf_a");
    });
  } finally {
    await Deno.remove(HF_HOME, { recursive: true });
  }
});

Deno.test({
  name: "hubSettings() names the flag where the environment may not be read",
  permissions: { env: false },
  fn: () => {
    assert.throws(() => hubSettings(), {
      name: "KvbenchError",
      message: /^Cannot look for models: no permission for H\w+, run with --allow-env=HF_ENDPOINT,/,
    });
  },
});
