/**
 * Figures of a hardware compiler: gets the SPIR-V of the kernels, from the driver at hand or by a layer that is built
 * for it, and has Mesa's RADV compile that for AMD GPUs that are not there.
 */
import { run } from "../command.ts";
import type { DumpedKernel } from "./compile.ts";
import type { CompiledFigures } from "./inspect.ts";

/** The families that are compiled for; newer versions of Mesa name one of them otherwise. */
export const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  NAVI21: ["NAVI21", "navi21"],
  GFX1100: ["GFX1100", "NAVI31", "navi31"],
  VEGA20: ["VEGA20", "vega20"],
};

/** A kernel, and its figures by family. */
export interface InspectedKernel extends DumpedKernel {
  readonly families: Readonly<Record<string, CompiledFigures>>;
}

/** An error that says why no compiler could be asked. */
export class Unavailable extends Error {}

const DRIVER = `/usr/share/vulkan/icd.d/radeon_icd.${Deno.build.arch}.json`;
const HERE = new URL(".", import.meta.url);
const LAYER = "VK_LAYER_KVBENCH_dump";

/** Runs a program of this folder, which writes lines, and says on stderr why it fails. */
async function runOwn(program: string, args: readonly string[], env: Record<string, string>) {
  const flags = ["--no-prompt", "--no-check", "-A"], { href } = new URL(program, HERE);
  const { success, stdout, stderr } = await run(Deno.execPath(), ["run", ...flags, href, ...args], { env });
  return { success, lines: stdout.split("\n").filter((line) => line.trim() !== ""), says: stderr.trim() };
}

/** Builds the layer in a folder. */
async function buildLayer(folder: string): Promise<Record<string, string>> {
  const hint = "Debian: apt-get install gcc libc6-dev libvulkan-dev, which `deno task setup:test` does";
  const source = new URL("dump_layer.c", HERE).pathname;
  const args = ["-shared", "-fPIC", "-O1", "-o", `${folder}/layer.so`, source, "-lpthread"];
  const built = await run("gcc", args).catch(() => {
    throw new Unavailable(
      `No SPIR-V: this driver writes none, and there is no gcc for the layer that does (${hint})`,
    );
  });
  if (!built.success) {
    const [line] = built.stderr.split("\n");
    throw new Unavailable(
      `No SPIR-V: this driver writes none, and the layer does not build: ${line} (${hint})`,
    );
  }
  const layer = {
    ...{ name: LAYER, type: "GLOBAL", library_path: "./layer.so", api_version: "1.3.0" },
    ...{ implementation_version: "1", description: "writes the SPIR-V of compute pipelines to files" },
  };
  await Deno.writeTextFile(`${folder}/layer.json`, JSON.stringify({ file_format_version: "1.2.0", layer }));
  return { VK_LAYER_PATH: folder, VK_INSTANCE_LAYERS: LAYER };
}

/** Compiles all kernels on the adapter at hand, and says which file is which one's. */
async function dumpKernels(folder: string): Promise<DumpedKernel[]> {
  const spirv = `${folder}/spirv`;
  const env = { MESA_SHADER_CACHE_DISABLE: "true", DENO_WEBGPU_BACKEND: "vulkan", XDG_RUNTIME_DIR: folder };
  const attempt = async (more: Record<string, string>) => {
    await Deno.mkdir(spirv);
    const { success, lines, says } = await runOwn("compile.ts", [spirv], { ...env, ...more });
    if (!success) throw new Unavailable(`No SPIR-V: the kernels do not compile here: ${says.split("\n")[0]}`);
    return lines.map((line) => JSON.parse(line) as DumpedKernel);
  };
  const own = await attempt({ MESA_SPIRV_DUMP_PATH: spirv }); // since Mesa 25
  if (own.length > 0) return own;
  await Deno.remove(spirv, { recursive: true });
  return await attempt({ KVBENCH_SPIRV_DIR: spirv, ...await buildLayer(folder) });
}

/**
 * Has the kernels compiled for every family.
 *
 * @throws {Unavailable} If there is no driver for that, or no SPIR-V.
 */
export async function inspectKernels(): Promise<InspectedKernel[]> {
  try {
    await Deno.stat(DRIVER);
  } catch {
    throw new Unavailable(
      "No compiler for AMD: expected Mesa's RADV (Debian: apt-get install mesa-vulkan-drivers)",
    );
  }
  const folder = await Deno.makeTempDir({ prefix: "kvbench-hardware-" });
  try {
    const kernels = await dumpKernels(folder), byFamily: Record<string, Map<string, CompiledFigures>> = {};
    for (const [family, names] of Object.entries(FAMILIES)) {
      const files = kernels.map(({ spirv }) => spirv);
      let says = "";
      for (const RADV_FORCE_FAMILY of names) {
        const env = { RADV_FORCE_FAMILY, VK_ICD_FILENAMES: DRIVER, XDG_RUNTIME_DIR: folder };
        const outcome = await runOwn("inspect.ts", [`${folder}/spirv`, ...files], env);
        says = outcome.says.split("\n")[0] ?? "";
        if (!outcome.success) continue;
        const figures = outcome.lines.map((line) => JSON.parse(line) as CompiledFigures);
        byFamily[family] = new Map(figures.map((each) => [each.spirv, each]));
        break;
      }
      if (!byFamily[family]) throw new Unavailable(`RADV compiles nothing for ${family}: ${says}`);
    }
    return kernels.map((kernel) => ({
      ...kernel,
      families: Object.fromEntries(
        Object.entries(byFamily).map(([family, figures]) => [family, figures.get(kernel.spirv)!]),
      ),
    }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
