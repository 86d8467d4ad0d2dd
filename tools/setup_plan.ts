/**
 * The plan of set-up: what it installs, or asks the user to, by the facts about a machine. Touches nothing.
 */
import { GL_COST } from "../src/gpu/backend.ts";

/** A package manager that kvbench can name the driver's packages for. */
export type PackageManager = "apt-get" | "dnf" | "pacman";

/** A thing that may be missing. */
export type Need = "driver" | "browser" | "compiler" | "parallel";

/** Facts about the machine. */
export interface SetupFacts {
  readonly missing: readonly Need[];
  /** True where OpenGL in software stands in for the missing driver. */
  readonly openGl: boolean;
  readonly os: typeof Deno.build.os;
  readonly root: boolean;
  /** State of `sudo`: absent, or with or without a password. */
  readonly sudo: "absent" | "password" | "passwordless";
  /** The first known package manager found; absent where there is none. */
  readonly packageManager?: PackageManager;
}

/** A plan of set-up: nothing, install, or ask the user to. Commands are argument lists, program first. */
type SetupPlan =
  | { readonly kind: "ready" }
  | { readonly kind: "install"; readonly commands: readonly (readonly string[])[] }
  | { readonly kind: "ask"; readonly message: string };

/** The install command of each package manager. */
export const INSTALL: Readonly<Record<PackageManager, string>> = {
  "apt-get": "apt-get install -y --no-install-recommends",
  dnf: "dnf install -y",
  pacman: "pacman -S --noconfirm",
};

/** The packages with the Vulkan loader and Mesa's drivers, lavapipe (software) among them, and with Chromium. */
const PACKAGES: Readonly<Record<Need, Readonly<Record<PackageManager, string>>>> = {
  driver: {
    "apt-get": "libvulkan1 mesa-vulkan-drivers",
    dnf: "vulkan-loader mesa-vulkan-drivers",
    pacman: "vulkan-icd-loader vulkan-swrast",
  },
  browser: { "apt-get": "chromium", dnf: "chromium", pacman: "chromium" },
  compiler: {
    "apt-get": "gcc libc6-dev libvulkan-dev",
    dnf: "gcc vulkan-headers vulkan-loader-devel",
    pacman: "gcc vulkan-headers",
  },
  parallel: { "apt-get": "parallel", dnf: "parallel", pacman: "parallel" },
};

/** Plans what is done about what is missing. */
export function planSetup(facts: SetupFacts): SetupPlan {
  const { missing, os, packageManager } = facts;
  if (missing.length === 0) return { kind: "ready" };
  const driver = missing.includes("driver");
  const what = sayMissing(facts);
  if (os !== "linux") {
    return { kind: "ask", message: driver ? `${what}. Update the driver of the GPU` : `${what} or Chrome` };
  }
  if (packageManager === undefined) {
    return {
      kind: "ask",
      message: driver ? `${what}. Install the Vulkan loader and Mesa's Vulkan drivers` : what,
    };
  }
  const mayInstall = facts.root || facts.sudo === "passwordless";
  if (packageManager !== "apt-get" || !mayInstall) {
    const install = driver ? "Install the software driver" : "Install it";
    return { kind: "ask", message: `${what}. ${install}:\n  ${installCommand(facts)}` };
  }
  const wait = ["-o", "DPkg::Lock::Timeout=120"];
  const asRoot = facts.root ? [] : ["sudo", "-n", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"];
  return {
    kind: "install",
    commands: [
      [...asRoot, "apt-get", ...wait, "update"],
      [...asRoot, "apt-get", ...wait, ...packagesCommand(facts, "apt-get").split(" ").slice(1)],
    ],
  };
}

function sayMissing({ missing, openGl }: SetupFacts): string {
  if (!missing.includes("driver")) {
    return missing.includes("browser")
      ? "No browser for the tests of the report: expected Chromium"
      : missing.includes("compiler")
      ? "No C compiler with Vulkan's headers for the tests of `deno task hardware`: expected gcc and vulkan/vk_layer.h"
      : "No GNU parallel for the test of examples/fleet: expected /usr/bin/parallel";
  }
  return openGl
    ? `Only OpenGL in software: expected a Vulkan driver, since ${GL_COST}`
    : "No WebGPU adapter: expected a GPU with a Vulkan, Metal or DirectX 12 driver";
}

function packagesCommand({ missing }: SetupFacts, packageManager: PackageManager): string {
  return [INSTALL[packageManager], ...missing.map((need) => PACKAGES[need][packageManager])].join(" ");
}

/** Returns the shell command that installs what is missing. */
export function installCommand(facts: SetupFacts): string {
  const { packageManager = "apt-get", root, sudo } = facts;
  const commands = [packagesCommand(facts, packageManager)];
  if (packageManager === "apt-get") commands.unshift("apt-get update");
  if (root) return commands.join(" && ");
  return sudo === "absent"
    ? `su -c '${commands.join(" && ")}'`
    : commands.map((command) => `sudo ${command}`).join(" && ");
}
