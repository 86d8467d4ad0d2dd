/**
 * Set-up: makes sure that there is a WebGPU adapter before anything else runs, and with `--tests` also a browser, in
 * which the tests open the report, and a C compiler, for the layer that hands kernels to `deno task hardware`. It installs
 * what is missing from Debian (a software Vulkan driver, Chromium, gcc and Vulkan's headers) where it may, and names the command to run where it may not. OpenGL in software is used only where no Vulkan driver can be
 * installed. Imports no package, since it runs before other tasks, and prints to stderr, since stdout is theirs.
 */
import {
  BACKEND_TITLES,
  BACKEND_VARIABLE,
  backendsOn,
  GL_COST,
  type KnownBackend,
  parseBackends,
} from "../src/gpu/backend.ts";
import { askedBackends } from "../src/host/variables.ts";
import { askBackends, type FoundAdapter } from "../src/cli/session/backends.ts";
import {
  INSTALL,
  installCommand,
  type Need,
  type PackageManager,
  planSetup,
  type SetupFacts,
} from "./setup_plan.ts";

/** The backend whose driver set-up can install. */
const DRIVEN: KnownBackend = "vulkan";

/** Paths of browsers that the tests can use. */
const BROWSERS: readonly string[] = Deno.build.os === "darwin"
  ? ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"]
  : ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** A program and a header that `tools/hardware` builds its layer with. */
const COMPILER: readonly string[] = ["/usr/bin/gcc", "/usr/include/vulkan/vk_layer.h"];

/** GNU parallel, by which the tests run the example of a fleet. */
const PARALLEL = "/usr/bin/parallel";

/** Finds the browser for the tests; needs permission to read the paths of browsers. */
export function findBrowser(): string | undefined {
  return BROWSERS.find(exists);
}

/** Lines of apt-get that show progress. */
const PROGRESS =
  /^(Need to get|Fetched|\d+ upgraded|Setting up (libvulkan1|mesa-vulkan-drivers|chromium|parallel) )/;

function sayAdapter({ description, software, backend }: FoundAdapter): string {
  return [description, ...(software ? ["software"] : []), BACKEND_TITLES[backend]].join(", ");
}

/** Tells whether an adapter is OpenGL in software, for want of a Vulkan driver. */
function isMakeshift({ software, backend }: FoundAdapter): boolean {
  return software && backend === "gl";
}

/** Gathers the facts that a plan needs. */
async function gatherFacts(
  { missing, openGl }: { readonly missing: readonly Need[]; readonly openGl: boolean },
): Promise<SetupFacts> {
  const os = Deno.build.os;
  if (missing.length === 0 || os !== "linux") return { missing, openGl, os, root: false, sudo: "absent" };
  const root = Deno.uid() === 0;
  const packageManager = (Object.keys(INSTALL) as PackageManager[]).find((name) =>
    exists(`/usr/bin/${name}`)
  );
  const sudo = root || !exists("/usr/bin/sudo") ? "absent" : await canSudo() ? "passwordless" : "password";
  return { missing, openGl, os, root, sudo, ...(packageManager && { packageManager }) };
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

async function canSudo(): Promise<boolean> {
  const sudo = new Deno.Command("/usr/bin/sudo", {
    args: ["-n", "true"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  return (await sudo.output()).success;
}

/** Runs a command, shows its progress, and its last lines if it fails. Returns true if it succeeds. */
async function runShown(command: readonly string[]): Promise<boolean> {
  console.error(`$ ${command.join(" ")}`);
  const child = new Deno.Command(`/usr/bin/${command[0]}`, {
    args: command.slice(1),
    env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines: string[] = [];
  const follow = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts);
      for (const line of parts) if (PROGRESS.test(line)) console.error(`  ${line}`);
    }
  };
  await Promise.all([follow(child.stdout), follow(child.stderr)]);
  const { success } = await child.status;
  if (!success) { for (const line of lines.slice(-6)) console.error(`  ${line}`); }
  return success;
}

/** Tells whether Mesa's software driver can write kernels' SPIR-V by itself, as it does since version 25. */
async function writesSpirv(): Promise<boolean> {
  const libraries = [...Deno.readDirSync("/usr/lib")].filter(({ name }) => name.endsWith("-linux-gnu"))
    .map(({ name }) => `/usr/lib/${name}/libvulkan_lvp.so`).filter(exists);
  if (libraries.length === 0) return false;
  const grep = new Deno.Command("/usr/bin/grep", { args: ["-q", "MESA_SPIRV_DUMP_PATH", ...libraries] });
  return (await grep.output()).success;
}

/** Returns the first adapter of the backends. */
async function findAdapter(backends: readonly KnownBackend[]): Promise<FoundAdapter | undefined> {
  return (await askBackends(backends))[0];
}

/**
 * Sets up. Without an adapter nothing works; without a browser or GNU parallel a test fails,
 * and without a compiler one skips.
 *
 * @returns The exit code.
 */
async function setUp(tests: boolean): Promise<number> {
  const os = Deno.build.os;
  const asked = askedBackends();
  const named = asked === undefined ? undefined : parseBackends(asked);
  const backends = backendsOn(os).filter((backend) => named?.includes(backend) ?? true);
  const value = `${BACKEND_VARIABLE} is ${JSON.stringify(asked)}`;
  if (backends.length === 0) {
    console.error(`error: ${value}: expected ${backendsOn(os).join(", ")}, or no such variable`);
    return 1;
  }
  let adapter = await findAdapter(backends);
  const canHaveDriver = backends.includes(DRIVEN);
  if (adapter === undefined && asked !== undefined && !canHaveDriver) {
    console.error(
      `error: ${value}, and gives no WebGPU adapter: expected another backend, or no such variable`,
    );
    return 1;
  }
  const openGl = adapter !== undefined && isMakeshift(adapter) && canHaveDriver;
  const missing: Need[] = adapter === undefined || openGl ? ["driver"] : [];
  if (tests && findBrowser() === undefined) missing.push("browser");
  if (tests && os === "linux" && !COMPILER.every(exists) && !await writesSpirv()) missing.push("compiler");
  if (tests && os === "linux" && !exists(PARALLEL)) missing.push("parallel");
  const facts = await gatherFacts({ missing, openGl });
  const plan = planSetup(facts);
  let problem = plan.kind === "ask" ? plan.message : undefined;
  if (plan.kind === "install") {
    const success = await install(plan.commands, facts);
    adapter = await findAdapter(backends);
    problem = sayProblem(facts, { success, adapter });
  }
  if (problem !== undefined) console.error(`${adapter === undefined ? "error" : "note"}: ${problem}`);
  if (adapter === undefined) return 1;
  console.error(
    `Adapter: ${sayAdapter(adapter)}${asked === undefined ? "" : `, as ${BACKEND_VARIABLE} asks`}`,
  );
  return 0;
}

/** Says why it installs, and installs. Returns true if the last command succeeds. */
async function install(commands: readonly (readonly string[])[], facts: SetupFacts): Promise<boolean> {
  for (const need of facts.missing) console.error(WHY[need](facts));
  let success = false;
  // An unreachable repository fails the update, though the packages may still install.
  for (const command of commands) success = await runShown(command);
  return success;
}

/** Returns the problem that is left after installing; undefined for none. */
function sayProblem(
  facts: SetupFacts,
  { success, adapter }: { readonly success: boolean; readonly adapter: FoundAdapter | undefined },
): string | undefined {
  const found = adapter !== undefined && !(facts.openGl && isMakeshift(adapter));
  if (success && found) return undefined;
  const still = adapter === undefined ? "no WebGPU adapter" : "no adapter with Vulkan";
  const what = success
    ? `The driver is installed, and there is still ${still}`
    : "Not everything is installed";
  return `${what}. Look at what this command says:\n  ${installCommand(facts)}`;
}

/** Reasons to install each thing. */
const WHY: Readonly<Record<Need, (facts: SetupFacts) => string>> = {
  driver: ({ openGl }) =>
    openGl
      ? `Only OpenGL in software: installing a software Vulkan driver, since ${GL_COST}`
      : "No WebGPU adapter: installing a software Vulkan driver, so that kvbench can run on the CPU",
  browser: () => "No browser: installing Chromium, in which the tests open the report",
  compiler: () =>
    "No C compiler with Vulkan's headers: installing them for the tests of `deno task hardware`",
  parallel: () => "No GNU parallel: installing it for the test of examples/fleet",
};

if (import.meta.main) Deno.exit(await setUp(Deno.args.includes("--tests")));
