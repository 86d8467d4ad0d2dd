import assert from "node:assert/strict";
import { FakeTerminal } from "../../../tests/fixtures/terminal.ts";
import { Display } from "./display.ts";
import { TerminalBar } from "./progress.ts";

/** Waits until a bar may be drawn again. */
const redrawn = () => new Promise((resolve) => setTimeout(resolve, 120));

Deno.test("A bar shows share, time left and amount, and leaves nothing behind", async () => {
  const screen = new FakeTerminal(80);
  const bar = new TerminalBar(new Display(screen));
  bar.start("Loading", 1000, "parameters");
  assert.deepEqual(screen.lines(), ["Loading ░░░░░░░░░░░░   0 %  0 of 1 000 parameters"]);
  await redrawn();
  bar.update(500);
  assert.match(screen.lines()[0]!, /^Loading █{6}░{6} {2}50 % {2}1 s left {2}500 of 1 000 parameters$/);
  bar.stop();
  assert.deepEqual(screen.lines(), []);
  bar.update(900);
  assert.deepEqual(screen.lines(), [], "a bar that was stopped stays away");
});

Deno.test("A bar without a total shows the time that it has taken", async () => {
  const screen = new FakeTerminal(80);
  const bar = new TerminalBar(new Display(screen));
  bar.start("Compiling");
  assert.deepEqual(screen.lines(), ["Compiling"]);
  await new Promise((resolve) => setTimeout(resolve, 1700));
  assert.match(screen.lines()[0]!, /^Compiling {2}\d+ s so far$/);
  bar.stop();
});

Deno.test("A bar gives up its amount before its time left where the terminal is narrow", async () => {
  const screen = new FakeTerminal(44);
  const bar = new TerminalBar(new Display(screen));
  bar.start("Loading", 1000, "parameters");
  await redrawn();
  bar.update(250);
  assert.match(screen.lines()[0]!, /^Loading .+ 25 % {2}\d+ s left$/);
  bar.stop();
});

Deno.test("Bars are shown together, and what is written meanwhile stands above them", () => {
  const screen = new FakeTerminal(80);
  const display = new Display(screen);
  const one = new TerminalBar(display), two = new TerminalBar(display);
  one.start("Weights", 2, "parts");
  two.start("Kernels", 3, "kernels");
  display.above(() => screen.write("a line\n"));
  const bars = [
    "Weights ░░░░░░░░░░░░   0 %  0 of 2 parts",
    "Kernels ░░░░░░░░░░░░   0 %  0 of 3 kernels",
  ];
  assert.deepEqual(screen.lines(), ["a line", ...bars]);
  one.stop();
  assert.deepEqual(screen.lines(), ["a line", bars[1]]);
  display.above(() => screen.write("another\n"));
  two.stop();
  assert.deepEqual(screen.lines(), ["a line", "another"]);
});

Deno.test("A display neither hides the cursor nor stops lines from wrapping, which a signal would leave so", () => {
  const screen = new FakeTerminal(80);
  const bar = new TerminalBar(new Display(screen));
  bar.start("Loading", 2, "parts");
  bar.stop();
  assert.ok(!screen.written.includes("\x1b[?"), JSON.stringify(screen.written));
});

Deno.test("Bytes are said in one unit with their speed, millions briefly", async () => {
  const screen = new FakeTerminal(100);
  const bar = new TerminalBar(new Display(screen));
  bar.start("Downloading", 3 * 2 ** 20, "bytes");
  await redrawn();
  bar.update(1.5 * 2 ** 20);
  assert.match(screen.lines()[0]!, / {2}1\.5 of 3\.0 MiB {2}[\d.]+ MiB\/s$/);
  bar.start("Loading", 7_753_856, "parameters");
  assert.match(screen.lines()[0]!, / 0\.0M of 7\.8M parameters$/);
  bar.stop();
});
