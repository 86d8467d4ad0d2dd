/**
 * Opens pages in a browser, in a process of its own: playwright-core reads below /proc, which takes every permission.
 */
import assert from "node:assert/strict";
import { fileURLToPath, pathToFileURL } from "node:url";
import { findBrowser } from "../tools/setup.ts";
import { runDeno } from "./cli_support.ts";

/** Runs a visitor, a script in `tests` that takes BROWSER and URLs, and returns what it saw. */
export async function inBrowser<T>(visitor: string, paths: readonly string[]): Promise<T> {
  const browser = findBrowser();
  assert.ok(browser, "There is no browser to open the report in: run deno task setup:test");
  const script = fileURLToPath(new URL(visitor, import.meta.url));
  const args = [
    "run",
    "--no-prompt",
    "--allow-all",
    script,
    browser,
    ...paths.map((path) => pathToFileURL(path).href),
  ];
  const { code, stdout, stderr } = await runDeno(args, {});
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}
