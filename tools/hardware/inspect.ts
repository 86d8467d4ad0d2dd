/**
 * Compiles SPIR-V for an AMD family and says on stdout what its compiler made of each file: a line of JSON each. A
 * process of its own, since the driver reads its variables once.
 */
import { loadsInFlight } from "./assembly.ts";
import { DriverError, NullDevice } from "./vulkan.ts";

/** A kernel as a GPU's compiler has it. */
export interface CompiledFigures {
  readonly spirv: string;
  /** Vector registers of a lane. */
  readonly registers: number;
  /** Waves of a SIMD at once. */
  readonly waves: number;
  /** Lanes of a wave. */
  readonly waveLanes: number;
  /** Registers in memory, for want of others. */
  readonly spills: number;
  /** Bytes of memory of a lane's own. */
  readonly scratch: number;
  /** Bytes of workgroup memory. */
  readonly workgroupBytes: number;
  /** Vector loads under way at once. */
  readonly loads: number;
  readonly instructions: number;
}

function inspect(device: NullDevice, folder: string, spirv: string): CompiledFigures {
  const { figures, waveLanes, assembly } = device.compile(Deno.readFileSync(`${folder}/${spirv}`));
  const figure = (name: string) => {
    const value = figures.get(name);
    if (value === undefined) throw new DriverError(`The driver tells no ${name}: expected RADV's figures`);
    return value;
  };
  return {
    spirv,
    registers: figure("VGPRs"),
    waves: figure("Subgroups per SIMD"),
    waveLanes,
    spills: figure("Spilled VGPRs") + figure("Spilled SGPRs"),
    scratch: figure("Scratch size"),
    workgroupBytes: figure("LDS size"),
    loads: loadsInFlight(assembly),
    instructions: figure("Instructions"),
  };
}

if (import.meta.main) {
  const [folder, ...files] = Deno.args as [string, ...string[]];
  try {
    const device = new NullDevice();
    for (const file of files) console.log(JSON.stringify(inspect(device, folder, file)));
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
