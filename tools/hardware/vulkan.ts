/**
 * Compiling SPIR-V with a Vulkan driver that has no GPU, by Deno's foreign function interface: Mesa's RADV compiles for
 * an AMD family that a variable names, and tells what it made of a kernel.
 */
import {
  type Bytes,
  handle,
  headed,
  number,
  pointer,
  repeated,
  text,
  textAt,
  view,
  word,
} from "./c_bytes.ts";
import { bindingsOf } from "./spirv.ts";

/** The answer of the driver to a kernel. */
interface CompiledKernel {
  /** Lanes of a wave. */
  readonly waveLanes: number;
  /** The driver's figures by their names. */
  readonly figures: ReadonlyMap<string, number>;
  /** The instructions as text. */
  readonly assembly: string;
}

/** Errors of a driver that has no family of the name or can't compile. */
export class DriverError extends Error {}

const SYMBOLS = {
  vkCreateInstance: { parameters: ["buffer", "pointer", "buffer"], result: "i32" },
  vkEnumeratePhysicalDevices: { parameters: ["pointer", "buffer", "buffer"], result: "i32" },
  vkGetPhysicalDeviceFeatures2: { parameters: ["pointer", "buffer"], result: "void" },
  vkCreateDevice: { parameters: ["pointer", "buffer", "pointer", "buffer"], result: "i32" },
  vkGetDeviceProcAddr: { parameters: ["pointer", "buffer"], result: "pointer" },
  vkCreateShaderModule: { parameters: ["pointer", "buffer", "pointer", "buffer"], result: "i32" },
  vkCreateDescriptorSetLayout: { parameters: ["pointer", "buffer", "pointer", "buffer"], result: "i32" },
  vkCreatePipelineLayout: { parameters: ["pointer", "buffer", "pointer", "buffer"], result: "i32" },
  vkCreateComputePipelines: {
    parameters: ["pointer", "u64", "u32", "buffer", "pointer", "buffer"],
    result: "i32",
  },
} as const;
const EXECUTABLES = { parameters: ["pointer", "buffer", "buffer", "buffer"], result: "i32" } as const;

/** VkStructureType of what is handed over. */
const TYPE = {
  instance: 1,
  queue: 2,
  device: 3,
  module: 16,
  stage: 18,
  computePipeline: 29,
  pipelineLayout: 30,
  setLayout: 32,
  features11: 49,
  features12: 51,
  features13: 53,
  features: 1000059000,
  executableFeatures: 1000269000,
  pipelineInfo: 1000269001,
  executableProperties: 1000269002,
  executableInfo: 1000269003,
  statistic: 1000269004,
  representation: 1000269005,
} as const;
const COMPUTE = 0x20, CAPTURE = 0x40 | 0x80, API = 1 << 22 | 3 << 12, INCOMPLETE = 5;
const EXTENSION = "VK_KHR_pipeline_executable_properties";
/** Bytes of the structures that the driver fills, and where its names and values stand in them. */
const STATISTIC = { bytes: 544, name: 16, format: 528, value: 536 } as const;
const REPRESENTATION = { bytes: 552, name: 16, size: 536, data: 544 } as const;
const PROPERTIES = { bytes: 536, subgroup: 532 } as const;
const MOST = 64;

type Field = readonly [bytes: 4 | 8, value: number | bigint];

/** A logical device of a driver without a GPU. */
export class NullDevice {
  readonly #vk;
  readonly #device: Deno.PointerObject;
  /** Memory that the driver has pointers to. */
  readonly #alive: Bytes[] = [];
  readonly #executables;

  /**
   * Loads the loader and opens the only device of the driver that the environment names.
   *
   * @throws {DriverError} If the loader or the driver can't be had.
   */
  constructor() {
    try {
      this.#vk = Deno.dlopen("libvulkan.so.1", SYMBOLS).symbols;
    } catch (error) {
      throw new DriverError(`The Vulkan loader can't be loaded: ${(error as Error).message.split("\n")[0]}`);
    }
    const vk = this.#vk;
    const application = this.#struct([4, 0], [8, 0], [8, 0], [4, 0], [8, 0], [4, 0], [4, API]);
    const instance = handle();
    const made = vk.vkCreateInstance(
      this.#struct(
        [4, TYPE.instance],
        [8, 0],
        [4, 0],
        [8, this.#address(application)],
        [4, 0],
        [8, 0],
        [4, 0],
        [8, 0],
      ),
      null,
      instance,
    );
    checked(made, "The driver makes no instance");
    const physical = handle();
    const found = vk.vkEnumeratePhysicalDevices(pointer(instance), word(1), physical);
    if (found !== INCOMPLETE) checked(found, "The driver has no device");
    if (number(physical) === 0n) {
      throw new DriverError("The driver has no device: expected RADV's null device");
    }
    const features = this.#features(pointer(physical));
    const priority: Bytes = new Uint8Array(Float32Array.of(1).buffer);
    const queue = this.#struct([4, TYPE.queue], [8, 0], [4, 0], [4, 0], [4, 1], [8, this.#address(priority)]);
    const names = this.#struct([8, this.#address(text(EXTENSION))]);
    const device = handle();
    const opened = vk.vkCreateDevice(
      pointer(physical),
      this.#struct(
        [4, TYPE.device],
        [8, this.#address(features)],
        [4, 0],
        [4, 1],
        [8, this.#address(queue)],
        [4, 0],
        [8, 0],
        [4, 1],
        [8, this.#address(names)],
        [8, 0],
      ),
      null,
      device,
    );
    checked(opened, `The driver opens no device with ${EXTENSION}`);
    this.#device = pointer(device);
    const proc = (name: string) =>
      new Deno.UnsafeFnPointer(
        vk.vkGetDeviceProcAddr(this.#device, text(name)) as Deno.PointerObject<typeof EXECUTABLES>,
        EXECUTABLES,
      );
    this.#executables = {
      properties: proc("vkGetPipelineExecutablePropertiesKHR"),
      statistics: proc("vkGetPipelineExecutableStatisticsKHR"),
      representations: proc("vkGetPipelineExecutableInternalRepresentationsKHR"),
    };
  }

  /**
   * Compiles the entry point `main` of a module.
   *
   * @throws {DriverError} If the driver refuses it.
   */
  compile(spirv: Bytes): CompiledKernel {
    const layout = this.#layout(spirv), module = handle(), pipeline = handle();
    const code = this.#struct(
      [4, TYPE.module],
      [8, 0],
      [4, 0],
      [8, spirv.length],
      [8, this.#address(spirv)],
    );
    checked(this.#vk.vkCreateShaderModule(this.#device, code, null, module), "The driver takes no SPIR-V");
    const info = this.#struct(
      [4, TYPE.computePipeline],
      [8, 0],
      [4, CAPTURE],
      [8, TYPE.stage], // a structure of its own, which begins at eight bytes
      [8, 0],
      [4, 0],
      [4, COMPUTE],
      [8, number(module)],
      [8, this.#address(text("main"))],
      [8, 0],
      [8, layout],
      [8, 0],
      [4, 0],
    );
    const made = this.#vk.vkCreateComputePipelines(this.#device, 0n, 1, info, null, pipeline);
    checked(made, "The driver compiles no pipeline");
    return this.#describe(number(pipeline));
  }

  #features(physical: Deno.PointerObject): Bytes {
    let next = 0n;
    const chain = [
      [TYPE.executableFeatures, 24],
      [TYPE.features13, 80],
      [TYPE.features12, 208],
      [TYPE.features11, 64],
      [TYPE.features, 240],
    ] as const;
    let last: Bytes = new Uint8Array();
    for (const [type, bytes] of chain) {
      last = headed(type, bytes, next);
      next = this.#address(last);
    }
    this.#vk.vkGetPhysicalDeviceFeatures2(physical, last);
    return last;
  }

  #layout(spirv: Bytes): bigint {
    const bindings = bindingsOf(spirv), sets: bigint[] = [];
    const count = Math.max(-1, ...bindings.map(({ set }) => set)) + 1;
    for (let set = 0; set < count; set++) {
      const own = bindings.filter((each) => each.set === set);
      const entries = this.#struct(
        ...own.flatMap(({ binding, type }): Field[] => [
          ...[binding, type, 1, COMPUTE].map((value): Field => [4, value]),
          [8, 0],
        ]),
      );
      const made = handle();
      const info = this.#struct(
        [4, TYPE.setLayout],
        [8, 0],
        [4, 0],
        [4, own.length],
        [8, this.#address(entries)],
      );
      checked(
        this.#vk.vkCreateDescriptorSetLayout(this.#device, info, null, made),
        "The driver takes no layout",
      );
      sets.push(number(made));
    }
    const handles = this.#struct(...sets.map((set): Field => [8, set])), layout = handle();
    const info = this.#struct(
      [4, TYPE.pipelineLayout],
      [8, 0],
      [4, 0],
      [4, sets.length],
      [8, this.#address(handles)],
      [4, 0],
      [8, 0],
    );
    checked(this.#vk.vkCreatePipelineLayout(this.#device, info, null, layout), "The driver takes no layout");
    return number(layout);
  }

  #describe(pipeline: bigint): CompiledKernel {
    const { properties, statistics, representations } = this.#executables;
    const property = headed(TYPE.executableProperties, PROPERTIES.bytes);
    const ofPipeline = this.#struct([4, TYPE.pipelineInfo], [8, 0], [8, pipeline]);
    properties.call(this.#device, ofPipeline, word(1), property);
    const executable = this.#struct([4, TYPE.executableInfo], [8, 0], [8, pipeline], [4, 0]);

    const count = word(MOST), filled = repeated(TYPE.statistic, STATISTIC.bytes, MOST);
    checked(statistics.call(this.#device, executable, count, filled), "The driver tells no statistics");
    const figures = new Map<string, number>();
    for (let i = 0; i < view(count).getUint32(0, true); i++) {
      const at = i * STATISTIC.bytes;
      figures.set(
        textAt(filled, at + STATISTIC.name),
        Number(view(filled).getBigUint64(at + STATISTIC.value, true)),
      );
    }

    const parts = word(MOST), sized = repeated(TYPE.representation, REPRESENTATION.bytes, MOST);
    checked(representations.call(this.#device, executable, parts, sized), "The driver tells no instructions");
    const held = Array.from({ length: view(parts).getUint32(0, true) }, (_, i) => {
      const at = i * REPRESENTATION.bytes;
      const data: Bytes = new Uint8Array(Number(view(sized).getBigUint64(at + REPRESENTATION.size, true)));
      view(sized).setBigUint64(at + REPRESENTATION.data, this.#address(data), true);
      return { name: textAt(sized, at + REPRESENTATION.name), data };
    });
    checked(representations.call(this.#device, executable, parts, sized), "The driver tells no instructions");
    const assembly = held.find(({ name }) => name === "Assembly");
    if (!assembly) {
      throw new DriverError(`The driver shows ${held.map(({ name }) => name)}: expected its assembly`);
    }
    return {
      waveLanes: view(property).getUint32(PROPERTIES.subgroup, true),
      figures,
      assembly: textAt(assembly.data, 0),
    };
  }

  /** Packs fields at their natural alignment, and keeps them alive. */
  #struct(...fields: readonly Field[]): Bytes {
    const bytes: Bytes = new Uint8Array(8 * Math.max(1, fields.length));
    let at = 0;
    for (const [size, value] of fields) {
      at = Math.ceil(at / size) * size;
      if (size === 4) view(bytes).setUint32(at, Number(value), true);
      else view(bytes).setBigUint64(at, BigInt(value), true);
      at += size;
    }
    this.#alive.push(bytes);
    return bytes;
  }

  #address(bytes: Bytes): bigint {
    this.#alive.push(bytes);
    return bytes.length === 0 ? 0n : Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
  }
}

function checked(result: number, what: string): void {
  if (result !== 0) throw new DriverError(`${what}: Vulkan says ${result}`);
}
