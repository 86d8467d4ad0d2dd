/**
 * A GPU that computes nothing and writes down what it is asked: dispatches with what they bind, copies, and what is
 * written to buffers, in the order in which they were issued. Knows WebGPU and nothing of kvbench, and is the same on
 * every machine.
 */
import { createHash } from "node:crypto";

/** A compute pipeline, as it was asked for. */
export interface TracedKernel {
  /** The pipeline's label. */
  readonly label: string;
  /** The module's WGSL. */
  readonly code: string;
  /** Values of its overrides. */
  readonly constants: Readonly<Record<string, number>>;
  /** The kinds of bindings of each group. */
  readonly layouts: readonly string[];
}

/** Something that a GPU was asked to do: a line of text, and the kernel of a dispatch. */
export interface TraceEvent {
  /** A dispatch's grid and bindings, or all of another event. */
  readonly text: string;
  /** What is dispatched. */
  readonly kernel?: TracedKernel;
}

/** Limits that every WebGPU has (https://www.w3.org/TR/webgpu/#limits), but for storage buffers, of which GPUs bind more. */
const LIMITS = {
  maxBufferSize: 256 << 20,
  maxStorageBufferBindingSize: 128 << 20,
  maxStorageBuffersPerShaderStage: 16,
  maxComputeWorkgroupStorageSize: 16 << 10,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxTextureDimension2D: 8192,
};

/** Up to so many words or runs of a write are written down; of longer ones, a hash. */
const MOST_WORDS = 100;
/** As many equal words are a run. */
const SHORTEST_RUN = 4;

/** What a device was asked for, in order. */
export class Trace {
  /** Every pipeline that was made. */
  readonly kernels: TracedKernel[] = [];
  readonly #numbers = new Map<string, number>();
  #events: TraceEvent[] = [];

  /** Adds an event. */
  add(text: string, kernel?: TracedKernel): void {
    this.#events.push({ text, ...(kernel && { kernel }) });
  }

  /** Hands over the events since the last time. */
  take(): readonly TraceEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Names a buffer or texture: those of one label are numbered. */
  numbered(label: string): string {
    const number = (this.#numbers.get(label) ?? 0) + 1;
    this.#numbers.set(label, number);
    return number === 1 ? label : `${label} (${number})`;
  }

  /** Forgets the events so far, and numbers from 1 again. */
  restart(): void {
    this.#events = [];
    this.#numbers.clear();
  }
}

/** A buffer or a texture. */
class Resource {
  readonly size: number;
  readonly width: number;
  readonly height: number;

  constructor(readonly label: string, { size = 0, width = 0, height = 0 }) {
    this.size = size;
    this.width = width;
    this.height = height;
  }

  createView(): Resource {
    return this;
  }

  destroy(): void {}

  mapAsync(): Promise<void> {
    return Promise.resolve();
  }

  getMappedRange(_offset: number, size: number): ArrayBuffer {
    return new ArrayBuffer(size);
  }

  unmap(): void {}
}

interface FakeLayout {
  readonly text: string;
}

interface FakeGroup {
  readonly label: string;
  /** What is bound, by name, with the part of it if it is a part. */
  readonly text: string;
}

interface CopyPlace {
  readonly texture: Resource;
  readonly origin?: readonly number[];
}

class FakeQueue {
  readonly #trace: Trace;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  writeBuffer(
    buffer: Resource,
    at: number,
    data: ArrayBuffer | Uint32Array<ArrayBuffer>,
    from = 0,
    size?: number,
  ): void {
    const unit = data instanceof ArrayBuffer ? 1 : data.BYTES_PER_ELEMENT;
    const bytes = data instanceof ArrayBuffer
      ? new Uint8Array(data)
      : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const written = bytes.slice(from * unit, size === undefined ? undefined : (from + size) * unit);
    this.#trace.add(`write ${buffer.label} at ${at}: ${contents(written)}`);
  }

  writeTexture(
    { texture, origin = [] }: CopyPlace,
    data: ArrayBuffer,
    { offset, bytesPerRow }: { offset: number; bytesPerRow: number },
    [width = 0, height = 1]: readonly number[],
  ): void {
    const rowBytes = width * 16;
    const written = new Uint8Array(height * rowBytes);
    for (let y = 0; y < height; y++) {
      written.set(new Uint8Array(data, offset + y * bytesPerRow, rowBytes), y * rowBytes);
    }
    this.#trace.add(`write ${texture.label} at ${origin}, ${width}×${height}: ${contents(written)}`);
  }

  submit(buffers: readonly unknown[]): void {
    if (buffers.length > 0) this.#trace.add("submit");
  }

  onSubmittedWorkDone(): Promise<void> {
    return Promise.resolve();
  }
}

class FakePass {
  readonly #trace: Trace;
  readonly #groups: FakeGroup[] = [];
  #kernel: TracedKernel | undefined;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  setPipeline(kernel: TracedKernel): void {
    this.#kernel = kernel;
  }

  setBindGroup(index: number, group: FakeGroup, offsets: readonly number[] = []): void {
    this.#groups[index] = group;
    if (offsets.length > 0) this.#trace.add(`bind ${group.label} at ${offsets.join(" ")}`);
  }

  dispatchWorkgroups(x: number, y = 1, z = 1): void {
    if (!this.#kernel) throw new Error("A dispatch without a pipeline");
    const own = this.#groups.slice(0, this.#kernel.layouts.length)
      .filter(({ label }) => label !== "step").map(({ text }) => text);
    this.#trace.add(`${x}×${y}×${z} of ${own.join("; ")}`, this.#kernel);
  }

  end(): void {}
}

class FakeEncoder {
  readonly #trace: Trace;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  beginComputePass(): FakePass {
    this.#trace.add("pass");
    return new FakePass(this.#trace);
  }

  copyBufferToBuffer(source: Resource, from: number, target: Resource, to: number, bytes: number): void {
    this.#trace.add(`copy ${source.label} at ${from} to ${target.label} at ${to}: ${bytes} bytes`);
  }

  copyTextureToTexture(
    { texture: source, origin: from = [] }: CopyPlace,
    { texture: target, origin: to = [] }: CopyPlace,
    [width, height]: readonly number[],
  ): void {
    this.#trace.add(`copy ${source.label} at ${from} to ${target.label} at ${to}: ${width}×${height}`);
  }

  copyTextureToBuffer(): void {
    this.#trace.add("copy of a texture to a buffer");
  }

  finish(): object {
    return {};
  }
}

class FakeDevice {
  readonly limits = LIMITS;
  readonly features: ReadonlySet<string>;
  readonly queue: FakeQueue;
  readonly lost = new Promise<never>(() => {});
  readonly #trace: Trace;

  constructor(trace: Trace, features: readonly string[]) {
    this.#trace = trace;
    this.features = new Set(features);
    this.queue = new FakeQueue(trace);
  }

  createBuffer({ label, size }: { label: string; size: number }): Resource {
    return new Resource(this.#trace.numbered(label), { size });
  }

  createTexture({ label, size: [width, height] }: { label: string; size: [number, number] }): Resource {
    return new Resource(this.#trace.numbered(label), { width, height });
  }

  createBindGroupLayout({ entries }: GPUBindGroupLayoutDescriptor): FakeLayout {
    return { text: [...entries].map(kindOf).join(", ") };
  }

  createBindGroup({ label = "", entries }: { label?: string; entries: readonly FakeEntry[] }): FakeGroup {
    const items = entries.map(({ resource }) => {
      if (resource instanceof Resource) return resource.label;
      const { buffer, offset = 0, size = buffer.size } = resource;
      return offset === 0 && size === buffer.size ? buffer.label : `${buffer.label}[${size} from ${offset}]`;
    });
    return { label, text: items.join(", ") };
  }

  createPipelineLayout({ bindGroupLayouts }: { bindGroupLayouts: readonly FakeLayout[] }): readonly string[] {
    return bindGroupLayouts.map(({ text }) => text);
  }

  createShaderModule({ code }: { code: string }): object {
    return { code, getCompilationInfo: () => Promise.resolve({ messages: [] }) };
  }

  createComputePipelineAsync({ label, layout, compute: { module, constants } }: {
    label: string;
    layout: readonly string[];
    compute: { module: { code: string }; constants: Record<string, number> };
  }): Promise<TracedKernel> {
    const kernel = { label, code: module.code, constants, layouts: layout };
    this.#trace.kernels.push(kernel);
    return Promise.resolve(kernel);
  }

  createCommandEncoder(): FakeEncoder {
    return new FakeEncoder(this.#trace);
  }

  pushErrorScope(): void {}

  popErrorScope(): Promise<null> {
    return Promise.resolve(null);
  }

  addEventListener(): void {}

  destroy(): void {}
}

interface FakeEntry {
  readonly resource: Resource | {
    readonly buffer: Resource;
    readonly offset?: number;
    readonly size?: number;
  };
}

/**
 * Makes an entry to WebGPU like `navigator.gpu`, each of whose devices writes down into `trace`.
 *
 * @param features Optional features of the adapter.
 */
export function fakeWebGpu(trace: Trace, features: readonly string[] = []): GPU {
  const adapter = {
    info: { description: "traced", vendor: "", architecture: "", device: "" },
    features: new Set(features),
    limits: LIMITS,
    requestDevice: () => Promise.resolve(new FakeDevice(trace, features)),
  };
  // Only what kvbench calls is there: a call of anything else fails.
  return { requestAdapter: () => Promise.resolve(adapter) } as unknown as GPU;
}

/** An access in a word: what a kernel may do with a buffer or with texels, and `+` where an offset is added. */
function kindOf({ buffer, storageTexture }: GPUBindGroupLayoutEntry): string {
  if (storageTexture) return `texels ${storageTexture.access}`;
  const access = { uniform: "uniform", "read-only-storage": "read", storage: "readWrite" };
  return `${access[buffer?.type ?? "uniform"]}${buffer?.hasDynamicOffset ? "+" : ""}`;
}

/** The words of a write, runs of one word as a count, or a hash of very many. */
function contents(bytes: Uint8Array<ArrayBuffer>): string {
  const words = new Uint32Array(bytes.buffer, 0, bytes.length / 4);
  const runs: string[] = [];
  for (let at = 0; at < words.length;) {
    let end = at + 1;
    while (end < words.length && words[end] === words[at]) end++;
    if (end - at < SHORTEST_RUN) runs.push(...Array(end - at).fill(String(words[at])));
    else runs.push(`${end - at}×${words[at]}`);
    at = end;
  }
  return runs.length > MOST_WORDS ? `${words.length} words of hash ${hash(bytes)}` : runs.join(" ");
}

/** The first 16 digits of a SHA-256. */
function hash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}
