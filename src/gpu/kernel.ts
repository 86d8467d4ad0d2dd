/**
 * Compute kernels: WGSL files joined into a module, compiled once with overrides and an explicit layout.
 */
import { KernelError } from "../base/errors.ts";
import type { BindLayout } from "./bind_layout.ts";
import { scoped } from "./error_scope.ts";
import { joinWgsl } from "./join.ts";
import { lossOf } from "./loss.ts";
import { hasSubgroups, subgroupDirectives } from "./subgroups.ts";
import type { Walk } from "./walk.ts";
import type { WgslFile } from "./wgsl.ts";

/** Sources and layout of a kernel. */
export interface KernelSpec {
  /** Name of its task, such as `qkv`, in profiles. Default: the names of its files. */
  readonly label?: string;
  /** Its files; those that they require are added where they are shared. The entry point is `main`. */
  readonly files: readonly WgslFile[];
  /** True if the files use subgroup operations, which the device must support. Default: false. */
  readonly subgroups?: boolean;
  /** One layout for each `@group`, in order. */
  readonly groups: readonly BindLayout[];
  /** The way of its lanes through what it reads most of. Default: nobody asks. */
  readonly walk?: Walk | undefined;
  /** Values of the files' WGSL overrides. */
  readonly overrides?: Readonly<Record<string, number>>;
}

/** A compiled kernel, dispatched many times. */
export interface Kernel {
  /** Names of its files, for messages. */
  readonly name: string;
  /** Name of its task, for profiles. */
  readonly label: string;
  /** The way of its lanes, for profiles. */
  readonly walk?: Walk | undefined;
  readonly pipeline: GPUComputePipeline;
}

/** Kernels by their sources and layout. Some drivers take seconds to compile one, so strategies and models share them. */
const compiled = new WeakMap<GPUDevice, Map<string, Promise<Kernel>>>();

/**
 * Compiles a kernel, or returns the equal one that was compiled on this device before.
 *
 * @throws {DeviceLostError} If the device is lost.
 * @throws {KernelError} With file, line and message where the WGSL, the layout or an override is wrong.
 */
export async function createKernel(device: GPUDevice, spec: KernelSpec): Promise<Kernel> {
  const kernels = compiled.get(device) ?? new Map<string, Promise<Kernel>>();
  compiled.set(device, kernels);
  const { label, files, subgroups, groups, overrides = {} } = spec;
  const signatures = groups.map(({ signature }) => signature);
  const key = JSON.stringify([label, files, subgroups, signatures, Object.entries(overrides).sort()]);
  const known = kernels.get(key);
  if (known) return await known;
  const compiling = compile(device, spec);
  kernels.set(key, compiling);
  try {
    return await compiling;
  } catch (error) {
    kernels.delete(key);
    throw error;
  }
}

async function compile(device: GPUDevice, spec: KernelSpec): Promise<Kernel> {
  const ordered = joinWgsl(spec.files);
  const name = ordered.map((file) => file.name).join(" + ");
  if (spec.subgroups && !hasSubgroups(device)) {
    throw new KernelError(
      `Kernel ${name} uses subgroup operations: expected a device with the feature subgroups`,
    );
  }
  const files = [...spec.subgroups ? await subgroupDirectives(device) : [], ...ordered];
  const { made: module, error } = scoped(
    device,
    () => device.createShaderModule({ label: name, code: files.map((file) => file.code).join("\n") }),
  );
  const [info, invalid] = await Promise.all([module.getCompilationInfo(), error]);
  const errors = info.messages.filter((message) => message.type === "error");
  if (errors.length > 0 || invalid) {
    const texts = errors.map(({ lineNum, linePos, message }) =>
      `${place(files, lineNum)}:${linePos}: ${oneLine(message)}`
    );
    const text = texts.length > 0 ? texts.join("; ") : `${name}: ${oneLine(invalid!.message)}`;
    throw await lossOf(device) ?? new KernelError(`WGSL does not compile: ${text}`);
  }
  try {
    const pipeline = await device.createComputePipelineAsync({
      label: spec.label ?? name,
      layout: device.createPipelineLayout({
        label: name,
        bindGroupLayouts: spec.groups.map((g) => g.layout),
      }),
      compute: { module, entryPoint: "main", constants: { ...spec.overrides } },
    });
    return { name, label: spec.label ?? name, walk: spec.walk, pipeline };
  } catch (error) {
    const text = oneLine((error as Error).message);
    throw await lossOf(device) ?? new KernelError(`Kernel ${name} gives no pipeline: ${text}`);
  }
}

/** Removes the source that wgpu draws below its message, with line numbers of the joined text. */
function oneLine(message: string): string {
  const lines = message.split("\n").map((line) => line.trim());
  const text = lines.filter((line) => line !== "" && !/^(\d+ )?[┌│]/.test(line));
  return text.map((line) => line.replace(/^= /, "")).join("; ");
}

/** Returns file and line of a line of the joined text. */
function place(files: readonly WgslFile[], line: number): string {
  let first = 1;
  for (const file of files) {
    const lines = file.code.split("\n").length;
    if (line < first + lines) return `${file.name}:${line - first + 1}`;
    first += lines;
  }
  return `${files.at(-1)?.name}:${line}`;
}
