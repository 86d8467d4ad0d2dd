/** Bindings of a SPIR-V module, as its decorations tell them: enough to make the layout of its pipeline. */

/** A binding of a module. */
interface SpirvBinding {
  readonly set: number;
  readonly binding: number;
  /** A VkDescriptorType: storage image, uniform buffer or storage buffer. */
  readonly type: 3 | 6 | 7;
}

const MAGIC = 0x07230203, HEADER_WORDS = 5;
const OP = { decorate: 71, variable: 59 } as const;
const DECORATION = { binding: 33, set: 34 } as const;
/** Descriptor types by storage class: UniformConstant, Uniform, StorageBuffer. */
const TYPES = new Map<number, SpirvBinding["type"]>([[0, 3], [2, 6], [12, 7]]);

/**
 * Lists the bindings.
 *
 * @throws {Error} If it is no SPIR-V.
 */
export function bindingsOf(spirv: Uint8Array<ArrayBuffer>): SpirvBinding[] {
  const words = new Uint32Array(spirv.buffer, spirv.byteOffset, spirv.byteLength / 4);
  if (words[0] !== MAGIC) throw new Error("A dumped module is no SPIR-V: expected its magic number");
  const sets = new Map<number, number>(), bindings = new Map<number, number>();
  const classes = new Map<number, number>();
  for (let at = HEADER_WORDS; at < words.length;) {
    const op = words[at]! & 0xffff, length = words[at]! >>> 16;
    const [first, second, third] = words.subarray(at + 1, at + 4) as unknown as [number, number, number];
    if (op === OP.decorate && second === DECORATION.binding) bindings.set(first, third);
    if (op === OP.decorate && second === DECORATION.set) sets.set(first, third);
    if (op === OP.variable) classes.set(second, third);
    if (length === 0) throw new Error("A dumped module breaks off: expected whole instructions");
    at += length;
  }
  return [...bindings].map(([id, binding]) => {
    const type = TYPES.get(classes.get(id) ?? -1), set = sets.get(id);
    if (type === undefined || set === undefined) {
      throw new Error(
        `Binding ${binding} of a dumped module is of an unknown kind: expected a buffer or a texture`,
      );
    }
    return { set, binding, type };
  });
}
