import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { installCommand, planSetup, type SetupFacts } from "./setup_plan.ts";

const bare: SetupFacts = {
  missing: ["driver"],
  openGl: false,
  os: "linux",
  root: true,
  sudo: "absent",
  packageManager: "apt-get",
};

Deno.test("planSetup() installs nothing where nothing is missing, whatever else holds", () => {
  for (const root of [true, false]) {
    for (const sudo of ["absent", "password", "passwordless"] as const) {
      deepStrictEqual(planSetup({ ...bare, root, sudo, missing: [] }), { kind: "ready" });
    }
  }
});

Deno.test("planSetup() updates once and then installs, as root on Debian without an adapter", () => {
  const plan = planSetup(bare);
  strictEqual(plan.kind, "install");
  if (plan.kind !== "install") return;
  deepStrictEqual(
    plan.commands.map((command) => command.join(" ").replace("-o DPkg::Lock::Timeout=120 ", "")),
    [
      "apt-get update",
      "apt-get install -y --no-install-recommends libvulkan1 mesa-vulkan-drivers",
    ],
  );
});

Deno.test("planSetup() goes through a passwordless sudo, which never prompts", () => {
  const plan = planSetup({ ...bare, root: false, sudo: "passwordless" });
  strictEqual(plan.kind, "install");
  if (plan.kind !== "install") return;
  for (const command of plan.commands) deepStrictEqual(command.slice(0, 2), ["sudo", "-n"]);
});

Deno.test("planSetup() asks the user where it may not install or knows no way", () => {
  const cases: SetupFacts[] = [
    { ...bare, root: false },
    { ...bare, root: false, sudo: "password" },
    { ...bare, packageManager: "dnf" },
    { ...bare, packageManager: "pacman" },
    { missing: ["driver"], openGl: false, os: "linux", root: true, sudo: "absent" },
    { ...bare, os: "darwin" },
    { ...bare, os: "windows" },
  ];
  for (const facts of cases) {
    const plan = planSetup(facts);
    strictEqual(plan.kind, "ask");
    if (plan.kind === "ask") match(plan.message, /^No WebGPU adapter: expected .+[^.]$/s);
  }
});

Deno.test("planSetup() installs Vulkan beside OpenGL in software, or says why and how", () => {
  deepStrictEqual(planSetup({ ...bare, openGl: true }), planSetup(bare));
  const plan = planSetup({ ...bare, openGl: true, root: false });
  const message = plan.kind === "ask" ? plan.message : "";
  match(
    message,
    /^Only OpenGL in software: expected a Vulkan driver, since OpenGL compiles .* at least twice as slowly/,
  );
  match(message, /apt-get install .* mesa-vulkan-drivers'$/);
});

Deno.test("planSetup() installs the browser alone, or together with the driver, or says what is expected", () => {
  const alone = planSetup({ ...bare, missing: ["browser"] });
  strictEqual(
    alone.kind === "install" && alone.commands[1]?.slice(-2).join(" "),
    "--no-install-recommends chromium",
  );
  const both = planSetup({ ...bare, missing: ["driver", "browser"] });
  match(both.kind === "install" ? both.commands[1]!.join(" ") : "", /mesa-vulkan-drivers chromium$/);
  for (const facts of [{ ...bare, os: "darwin" as const }, { ...bare, root: false }]) {
    const plan = planSetup({ ...facts, missing: ["browser"] });
    match(plan.kind === "ask" ? plan.message : "", /^No browser .*: expected Chromium/);
  }
});

Deno.test("planSetup() installs a C compiler with Vulkan's headers, or says what is expected", () => {
  const plan = planSetup({ ...bare, missing: ["compiler"] });
  match(plan.kind === "install" ? plan.commands[1]!.join(" ") : "", / gcc libc6-dev libvulkan-dev$/);
  const asked = planSetup({ ...bare, root: false, missing: ["compiler"] });
  match(asked.kind === "ask" ? asked.message : "", /^No C compiler .*: expected gcc and vulkan\/vk_layer\.h/);
});

Deno.test("installCommand() is what the user can paste into a shell", () => {
  const apt = "apt-get install -y --no-install-recommends libvulkan1 mesa-vulkan-drivers";
  strictEqual(installCommand(bare), `apt-get update && ${apt}`);
  strictEqual(installCommand({ ...bare, root: false }), `su -c 'apt-get update && ${apt}'`);
  strictEqual(
    installCommand({ ...bare, root: false, sudo: "password" }),
    `sudo apt-get update && sudo ${apt}`,
  );
  strictEqual(
    installCommand({ ...bare, root: false, sudo: "password", packageManager: "dnf" }),
    "sudo dnf install -y vulkan-loader mesa-vulkan-drivers",
  );
});
