/**
 * A strategy from outside `src/`: a sliding window with attention sinks (Xiao et al. 2023, arXiv 2309.17453), whose
 * memory does not grow with the sequence.
 *
 * @module
 */
import {
  type Admission,
  type KvAddressing,
  type KvNeed,
  type KvOption,
  type KvOptions,
  type KvTraits,
  type KvUsage,
  type Lengths,
  type Move,
  Moves,
  RegionPolicy,
  type StrategyDef,
} from "../../extend.ts";
import code from "./window.wgsl" with { type: "text" };

const traits: KvTraits = { keeps: "some", exact: false, shares: false, preemptible: true };

/** Tokens of a sequence that a step computes. */
const CHUNK = 8;

/** The tokens that a row attends to. */
interface Shape {
  readonly sinks: number;
  readonly window: number;
  readonly chunk: number;
}

/** A ring of tokens per sequence. */
class WindowPolicy extends RegionPolicy {
  readonly traits = traits;
  override readonly maxChunk: number;
  override readonly maxSequences: number;
  readonly nSlots: number;
  readonly #entries: number;
  /** Tokens that were computed, by slot. */
  readonly #computed = new Map<number, number>();
  readonly #moves = new Moves();

  constructor(nRegions: number, shape: Shape) {
    super();
    this.maxChunk = shape.chunk;
    this.maxSequences = nRegions;
    this.#entries = entriesOf(shape);
    this.nSlots = nRegions * this.#entries;
  }

  get nFree(): number {
    return this.nSlots - this.#computed.size * this.#entries;
  }

  takeMoves(): readonly Move[] {
    return this.#moves.take();
  }

  refusal({ continuations = 1 }: Lengths): string | undefined {
    return continuations <= this.maxSequences
      ? undefined
      : `it needs ${continuations} windows, and there are ${this.maxSequences}`;
  }

  admit({ slots, nTokens }: Admission): boolean {
    if (slots.some((slot) => slot >= this.maxSequences)) return false;
    for (const slot of slots) this.#computed.set(slot, 0);
    return this.grow(slots[0]!, nTokens);
  }

  grow(slot: number, nTokens: number): boolean {
    this.#computed.set(slot, nTokens);
    return true;
  }

  shortage(slot: number): string {
    return `Cannot keep sequence ${slot}: there are ${this.maxSequences} windows`;
  }

  firstToCompute(slot: number): number {
    return this.#computed.get(slot)!;
  }

  override storedTokens(length: number): number {
    return Math.min(length, this.#entries);
  }

  override entries(length: number): number {
    return Math.min(length, this.#entries);
  }

  place(slot: number): readonly number[] {
    return [slot * this.#entries];
  }

  fork(parent: number, child: number): void {
    const computed = this.#computed.get(parent)!;
    this.#computed.set(child, computed);
    const [from, to] = [parent, child].map((slot) => slot * this.#entries) as [number, number];
    this.#moves.push({ kind: "copy", from, to, count: this.storedTokens(computed) });
  }

  release(slot: number): void {
    this.#computed.delete(slot);
  }

  usage(): KvUsage {
    const held = this.#computed.size * this.#entries;
    const stored = this.#computed.values().reduce((sum, length) => sum + this.storedTokens(length), 0);
    return { capacity: this.nSlots, stored, later: held - stored, internal: 0, free: this.nFree, saved: 0 };
  }

  verify(): void {
    if (this.nFree < 0) throw new Error(`${this.#computed.size} sequences have ${this.maxSequences} windows`);
  }
}

function option(flag: string, label: string, value: number): KvOption {
  const values = { min: 0, max: 65_536 };
  return {
    flag,
    label,
    placeholder: "tokens",
    help: `Tokens of the ${label} that stay`,
    values,
    default: value,
  };
}

function shapeOf({ sinks, window }: KvOptions): Shape {
  return { sinks: Number(sinks), window: Number(window), chunk: CHUNK };
}

function ringOf({ window, chunk }: Shape): number {
  return window + chunk - 1;
}

function entriesOf(shape: Shape): number {
  return shape.sinks + ringOf(shape);
}

function addressing(shape: Shape, layersKept: number): KvAddressing {
  return {
    files: [{ name: "window.wgsl", code }],
    table: { slotsPerSequence: entriesOf(shape) },
    slotGroup: 1,
    layersKept,
    overrides: { SINKS: shape.sinks, WINDOW: shape.window, RING: ringOf(shape) },
  };
}

function regionsOf({ nSequences, budgetTokens = Infinity }: KvNeed, shape: Shape): number {
  return Math.min(nSequences, Math.floor(budgetTokens / entriesOf(shape)));
}

/** The checks' longest step has 65 tokens. */
const CHECKED: Shape = { sinks: 3, window: 20, chunk: 72 };

/** The strategy. */
export const TOY_WINDOW: StrategyDef = {
  name: "toy-window",
  line: { light: "#795548", dark: "#BCAAA4" },
  comparedIn: ["bench"],
  traits,
  options: { sinks: option("sinks", "sinks", 4), window: option("window", "window", 28) },
  policy: (need, options) => new WindowPolicy(regionsOf(need, shapeOf(options)), shapeOf(options)),
  addressing: ({ nLayer }, options) => addressing(shapeOf(options), nLayer),
  groupTokens: ({ nSequences }, options) => nSequences * entriesOf(shapeOf(options)),
  cases: [{
    name: "toy window",
    lay: ({ nSequences }) => {
      const entries = entriesOf(CHECKED), { sinks, window } = CHECKED;
      return {
        addressing: addressing(CHECKED, 1),
        table: [entries],
        nSlots: nSequences * entries,
        slot: (sequence, position) =>
          sequence * entries + (position < sinks ? position : sinks + (position - sinks) % ringOf(CHECKED)),
        isVisible: (row, position) => position <= row && (position < sinks || position > row - window),
      };
    },
  }],
};
