import assert from "node:assert/strict";
import type { Command } from "./commander.ts";
import { loadCommand } from "../commands/load.ts";
import { paperCommand } from "../commands/paper.ts";
import { profileCommand } from "../commands/profile.ts";
import { serveSimCommand } from "../commands/serve_sim.ts";
import { inScratch, namesIn } from "../../../tests/cli_support.ts";
import { permitted } from "../../../tests/permitted.ts";

/** Each would fail for another reason, did it not look first where its result goes. */
const COMMANDS: readonly (readonly [make: () => Command, args: readonly string[]])[] = [
  [loadCommand, ["http://127.0.0.1:1"]],
  [paperCommand, ["--model", "gpt9"]],
  [profileCommand, ["--model", "gpt9"]],
  [serveSimCommand, ["--dry-run", "--model", "gpt9"]],
];

Deno.test("Subcommands with --json find out first that the result can't be written", {
  ignore: !permitted("read", "write"),
}, async () => {
  await inScratch(async (folder) => {
    for (const [make, args] of COMMANDS) {
      const command = make();
      await assert.rejects(command.parseAsync([...args, "--json", folder], { from: "user" }), {
        name: "KvbenchError",
        message: `Cannot write ${folder}: Is a directory`,
      }, command.name());
    }
    assert.deepEqual(namesIn(folder), []);
  });
});
