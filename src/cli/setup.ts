/**
 * Set-up: sees to it that there is a WebGPU adapter before anything else runs. With an adapter it changes
 * nothing. Without one it installs Debian's software Vulkan driver where it may, and says which command to run
 * where it may not. Imports no package, since it stands in front of other tasks, and prints to stderr, since
 * stdout is theirs.
 *
 * @module
 */
import { KvbenchError } from "../errors.ts";
import { adapterFacts, requestAdapter } from "../gpu/adapter.ts";

/** A package manager that kvbench can name the driver's packages for. */
export type PackageManager = "apt-get" | "dnf" | "pacman";

/** What set-up knows of the machine. */
export interface SetupFacts {
  /** The adapter's name; absent where there is no adapter. */
  readonly adapter?: string;
  /** The operating system. */
  readonly os: typeof Deno.build.os;
  /** Whether this process runs as root. */
  readonly root: boolean;
  /** Whether `sudo` is there, and whether it would ask for a password. */
  readonly sudo: "absent" | "password" | "passwordless";
  /** The first known package manager found; absent where there is none. */
  readonly packageManager?: PackageManager;
}

/** What set-up does: nothing, install, or ask the user to. Commands are argument lists, program first. */
export type SetupPlan =
  | { readonly kind: "ready"; readonly adapter: string }
  | { readonly kind: "install"; readonly commands: readonly (readonly string[])[] }
  | { readonly kind: "ask"; readonly message: string };

/** The packages with the Vulkan loader and Mesa's drivers, lavapipe (software) among them. */
const INSTALL: Readonly<Record<PackageManager, string>> = {
  "apt-get": "apt-get install -y --no-install-recommends libvulkan1 mesa-vulkan-drivers",
  dnf: "dnf install -y vulkan-loader mesa-vulkan-drivers",
  pacman: "pacman -S --noconfirm vulkan-icd-loader vulkan-swrast",
};

/** Lines of apt-get that say how far it is. */
const PROGRESS = /^(Need to get|Fetched|\d+ upgraded|Setting up (libvulkan1|mesa-vulkan-drivers))/;

/** Decides what to do. Never installs where there is an adapter. */
export function planSetup(facts: SetupFacts): SetupPlan {
  if (facts.adapter !== undefined) return { kind: "ready", adapter: facts.adapter };
  const missing = "No WebGPU adapter: wanted a GPU with a Vulkan, Metal or DirectX 12 driver";
  if (facts.os !== "linux") return { kind: "ask", message: `${missing}. Update the driver of the GPU` };
  if (facts.packageManager === undefined) {
    return { kind: "ask", message: `${missing}. Install the Vulkan loader and Mesa's Vulkan drivers` };
  }
  const mayInstall = facts.root || facts.sudo === "passwordless";
  if (facts.packageManager !== "apt-get" || !mayInstall) {
    return { kind: "ask", message: `${missing}. Install the software driver:\n  ${installCommand(facts)}` };
  }
  const wait = ["-o", "DPkg::Lock::Timeout=120"];
  const asRoot = facts.root ? [] : ["sudo", "-n", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"];
  return {
    kind: "install",
    commands: [
      [...asRoot, "apt-get", ...wait, "update"],
      [...asRoot, "apt-get", ...wait, ...INSTALL["apt-get"].split(" ").slice(1)],
    ],
  };
}

/** The shell command that installs the software driver by hand. */
export function installCommand(facts: SetupFacts): string {
  const { packageManager = "apt-get", root, sudo } = facts;
  const commands = [INSTALL[packageManager]];
  if (packageManager === "apt-get") commands.unshift("apt-get update");
  if (root) return commands.join(" && ");
  return sudo === "absent"
    ? `su -c '${commands.join(" && ")}'`
    : commands.map((command) => `sudo ${command}`).join(" && ");
}

async function findAdapter(): Promise<string | undefined> {
  try {
    const { description, software } = adapterFacts(await requestAdapter());
    return software ? `${description}, software` : description;
  } catch (error) {
    if (error instanceof KvbenchError) return undefined;
    throw error;
  }
}

/** Looks in a fresh process: WebGPU does not look for the Vulkan loader twice in one. */
async function findAdapterAfresh(): Promise<string | undefined> {
  const args = ["run", "--no-prompt", "--allow-env=XDG_RUNTIME_DIR", import.meta.url, "--find"];
  const find = new Deno.Command(Deno.execPath(), { args, stdin: "null", stderr: "inherit" });
  return new TextDecoder().decode((await find.output()).stdout).trim() || undefined;
}

async function gatherFacts(): Promise<SetupFacts> {
  const os = Deno.build.os;
  const adapter = await findAdapter();
  if (adapter !== undefined) return { adapter, os, root: false, sudo: "absent" };
  if (os !== "linux") return { os, root: false, sudo: "absent" };
  const root = Deno.uid() === 0;
  const packageManager = (Object.keys(INSTALL) as PackageManager[]).find((name) =>
    exists(`/usr/bin/${name}`)
  );
  const sudo = root || !exists("/usr/bin/sudo") ? "absent" : await canSudo() ? "passwordless" : "password";
  return { os, root, sudo, ...(packageManager && { packageManager }) };
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

/** Runs a command, shows its progress, and its last lines where it fails. Returns whether it succeeded. */
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

/** Does what the plan says. Returns the exit code. */
async function setUp(): Promise<number> {
  const facts = await gatherFacts();
  const plan = planSetup(facts);
  switch (plan.kind) {
    case "ready":
      console.error(`Adapter: ${plan.adapter}`);
      return 0;
    case "ask":
      console.error(`error: ${plan.message}`);
      return 1;
    case "install": {
      console.error(
        "No WebGPU adapter: installing a software Vulkan driver, so that kvbench can run on the CPU",
      );
      let success = false;
      // A repository that cannot be reached fails the update, and the packages may be there all the same.
      for (const command of plan.commands) success = await runShown(command);
      const adapter = success ? await findAdapterAfresh() : undefined;
      if (adapter === undefined) {
        const what = success
          ? "The driver is installed, and there is still no WebGPU adapter"
          : "The driver is not installed";
        console.error(`error: ${what}. Look at what this command says:\n  ${installCommand(facts)}`);
        return 1;
      }
      console.error(`Adapter: ${adapter}`);
      return 0;
    }
  }
}

if (import.meta.main) {
  if (Deno.args[0] === "--find") console.log(await findAdapter() ?? "");
  else Deno.exit(await setUp());
}
