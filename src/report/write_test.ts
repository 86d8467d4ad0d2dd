import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { KvbenchError } from "../base/errors.ts";
import { checkWritable, isReplaced, writeUnderNewName, writeWhole } from "./write.ts";
import { permitted } from "../../tests/permitted.ts";

const ignore = !permitted("read", "write");

async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kvbench-write-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const names = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();

Deno.test("writeWhole() creates the folder and leaves nothing but the file", { ignore }, async () => {
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "a", "b", "run.json");
    await writeWhole(path, "深度");
    assert.equal(await Deno.readTextFile(path), "深度");
    await writeWhole(path, new Uint8Array([1, 2, 3]));
    assert.deepEqual(await Deno.readFile(path), new Uint8Array([1, 2, 3]));
    assert.deepEqual(await names(join(folder, "a", "b")), ["run.json"]);
  });
});

Deno.test("writeWhole() writes to a relative path", { ignore }, async () => {
  await inTemporaryFolder(async (folder) => {
    await writeWhole(relative(Deno.cwd(), join(folder, "run.json")), "{}");
    assert.deepEqual(await names(folder), ["run.json"]);
  });
});

Deno.test(
  "writeWhole() says which path failed and why, and removes its temporary file",
  { ignore },
  async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, "taken");
      await Deno.mkdir(join(path, "inside"), { recursive: true }); // a file cannot be renamed over a folder
      await assert.rejects(writeWhole(path, "x"), (error: unknown) => {
        assert.ok(error instanceof KvbenchError);
        assert.match(error.message, /^Cannot write .*taken: Is a directory/);
        assert.doesNotMatch(error.message, /tmp-|\n/);
        return true;
      });
      assert.deepEqual(await names(folder), ["taken"]);
    });
  },
);

Deno.test("writeWhole() refuses a folder that is a file", { ignore }, async () => {
  await inTemporaryFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "file"), "");
    await assert.rejects(writeWhole(join(folder, "file", "run.json"), "x"), {
      name: "KvbenchError",
      message: /^Cannot write .*run\.json: /,
    });
  });
});

const posix = { ignore: ignore || Deno.build.os === "windows" };

Deno.test("writeWhole() follows symbolic links, to files that are yet to be made too", posix, async () => {
  await inTemporaryFolder(async (folder) => {
    await Deno.mkdir(join(folder, "real", "deep"), { recursive: true });
    await Deno.writeTextFile(join(folder, "real", "old.json"), "of before");
    await Deno.symlink("real/deep", join(folder, "linked"));
    await Deno.symlink("../old.json", join(folder, "real", "deep", "relative")); // of real/deep, not of linked
    await Deno.symlink(join(folder, "real", "deep", "relative"), join(folder, "twice"));
    await Deno.symlink("new.json", join(folder, "dangling"));
    for (const link of ["linked/relative", "twice", "dangling"]) {
      const path = join(folder, link);
      await checkWritable(path);
      await writeWhole(path, link);
      assert.ok((await Deno.lstat(path)).isSymlink, link);
      assert.equal(await Deno.readTextFile(path), link);
    }
    assert.equal(await Deno.readTextFile(join(folder, "real", "old.json")), "twice");
    assert.equal(await Deno.readTextFile(join(folder, "new.json")), "dangling");
    assert.deepEqual(await names(folder), ["dangling", "linked", "new.json", "real", "twice"]);
    assert.deepEqual(await names(join(folder, "real")), ["deep", "old.json"]);

    await Deno.symlink("loop", join(folder, "loop"));
    await assert.rejects(writeWhole(join(folder, "loop"), "x"), {
      name: "KvbenchError",
      message: /^Cannot write .*loop: Too many levels of symbolic links/,
    });
  });
});

Deno.test("writeWhole() keeps a file's mode, and its owner where it may", posix, async () => {
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "private.json");
    await Deno.writeTextFile(path, "of before");
    for (const mode of [0o600, 0o640, 0o666, 0o755]) {
      await Deno.chmod(path, mode);
      await writeWhole(path, "new");
      assert.equal((await Deno.stat(path)).mode! & 0o7777, mode);
    }
    if (Deno.uid() !== 0) return; // only root may give a file away
    await Deno.chown(path, 65534, 65533);
    await writeWhole(path, "newer");
    const { uid, gid, mode } = await Deno.stat(path);
    assert.deepEqual([uid, gid, mode! & 0o7777], [65534, 65533, 0o755]);
  });
});

Deno.test("writeWhole() does not replace a file that may not be written", {
  ignore: posix.ignore || !permitted("run", "env"),
}, async () => {
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "baseline.json");
    await Deno.writeTextFile(path, "of before");
    await Deno.chmod(path, 0o444);
    const code = `import { writeWhole } from ${JSON.stringify(new URL("write.ts", import.meta.url).href)};
      await writeWhole(${JSON.stringify(path)}, "new").catch(({ message }) => console.log(message));`;
    const evaluate = [Deno.execPath(), "eval", code];
    // Root may write everything, unless it gives up the capability to.
    const [program, ...args] = Deno.uid() === 0
      ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search", ...evaluate]
      : evaluate;
    const { stdout, stderr } = await new Deno.Command(program!, {
      args,
      env: { DENO_DIR: join(folder, "deno"), NO_COLOR: "1" },
      cwd: folder,
    }).output();
    const decoder = new TextDecoder();
    assert.match(
      decoder.decode(stdout),
      /^Cannot write .*baseline\.json: Permission denied \(os error 13\)\n$/,
      decoder.decode(stderr),
    );
    assert.equal(await Deno.readTextFile(path), "of before");
    assert.ok((await names(folder)).every((name) => !name.includes("tmp-")));
  });
});

/** Makes a special file, or returns false where this process may not. */
async function mknod(...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command("mknod", { args, stderr: "null" }).output();
  return success;
}

Deno.test("writeWhole() writes through a device, and leaves it what it is", {
  ignore: posix.ignore || Deno.build.os !== "linux" || !permitted("run"),
}, async () => {
  await inTemporaryFolder(async (folder) => {
    const sink = join(folder, "null"), full = join(folder, "full"), link = join(folder, "link");
    if (!await mknod(sink, "c", "1", "3") || !await mknod(full, "c", "1", "7")) {
      return console.log("Not tried: only root can make devices, outside of most containers");
    }
    await Deno.symlink("null", link);
    for (const path of [sink, link]) {
      await checkWritable(path);
      await writeWhole(path, "content");
    }
    await checkWritable(full);
    await assert.rejects(writeWhole(full, "content"), {
      name: "KvbenchError",
      message: `Cannot write ${full}: No space left on device (os error 28)`,
    });
    for (const path of [sink, full]) assert.ok((await Deno.lstat(path)).isCharDevice, path);
    assert.ok((await Deno.lstat(link)).isSymlink);
    assert.deepEqual(await names(folder), ["full", "link", "null"]);
  });
});

Deno.test("writeWhole() writes through a pipe, and checkWritable() sends nothing into it", {
  ignore: posix.ignore || !permitted("run"),
}, async () => {
  await inTemporaryFolder(async (folder) => {
    const pipe = join(folder, "pipe");
    assert.ok(await mknod(pipe, "p"));
    await checkWritable(pipe);
    assert.equal(await isReplaced(pipe), false);
    const content = "a line\n".repeat(50_000); // more than a pipe holds
    const [read] = await Promise.all([Deno.readTextFile(pipe), writeWhole(pipe, content)]);
    assert.equal(read, content);
    assert.ok((await Deno.lstat(pipe)).isFifo);
    assert.deepEqual(await names(folder), ["pipe"]);
  });
});

Deno.test("writeWhole() refuses a socket", { ignore: posix.ignore || !permitted("run") }, async () => {
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "socket");
    const code = `Deno.listen({ transport: "unix", path: ${JSON.stringify(path)} });
      console.log("ready");
      for await (const _ of Deno.stdin.readable);
      Deno.exit();`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", code],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    await child.stdout.getReader().read();
    const refused = { name: "KvbenchError", message: `Cannot write ${path}: It is a socket` };
    try {
      await assert.rejects(checkWritable(path), refused);
      await assert.rejects(writeWhole(path, "x"), refused);
      assert.ok((await Deno.lstat(path)).isSocket);
    } finally {
      await child.stdin.close();
      await child.status;
    }
  });
});

Deno.test(
  "writeUnderNewName() takes the UTC time, numbered when a file has it already",
  { ignore },
  async () => {
    await inTemporaryFolder(async (folder) => {
      const when = new Date("2026-01-02T03:04:05.678Z");
      const next = async () => relative(folder, await writeUnderNewName(folder, when, "{}"));
      await Deno.remove(folder);
      assert.equal(await next(), "kvbench-20260102-030405.json");
      assert.equal(await next(), "kvbench-20260102-030405-2.json");
      await Deno.writeTextFile(join(folder, "kvbench-20260102-030405-3.png"), "");
      assert.equal(await next(), "kvbench-20260102-030405-4.json");
    });
  },
);

Deno.test("writeUnderNewName() gives no two processes the same name", {
  ignore: ignore || !permitted("run"),
}, async () => {
  await inTemporaryFolder(async (folder) => {
    const code = `import { writeUnderNewName } from ${
      JSON.stringify(new URL("write.ts", import.meta.url).href)
    };
      console.log("ready");
      for await (const _ of Deno.stdin.readable) break;
      for (let i = 0; i < 50; i++) {
        await writeUnderNewName(${JSON.stringify(folder)}, new Date(0), Deno.pid + " " + i);
      }`;
    const children = Array.from({ length: 3 }, () =>
      new Deno.Command(Deno.execPath(), {
        args: ["eval", code],
        stdin: "piped",
        stdout: "piped",
      }).spawn());
    // All begin when all are ready.
    for (const { stdout } of children) await stdout.getReader().read();
    for (const { stdin } of children) await stdin.getWriter().write(new Uint8Array([10]));
    for (const child of children) assert.ok((await child.status).success);
    const found = await names(folder);
    assert.equal(found.length, 150);
    const contents = await Promise.all(found.map((name) => Deno.readTextFile(join(folder, name))));
    const expected = children.flatMap(({ pid }) => Array.from({ length: 50 }, (_, i) => `${pid} ${i}`));
    assert.deepEqual(contents.sort(), expected.sort());
  });
});
