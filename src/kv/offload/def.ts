/**
 * `offload`: a contiguous cache of which a few layers stay on the GPU. K and V of the others wait in host memory, and come
 * to one of two buffers before their layer's attention, one while the other is in use.
 */
import { UsageError } from "../../base/errors.ts";
import { contiguousAddressing } from "../contiguous/addressing.ts";
import { ContiguousPolicy } from "../contiguous/policy.ts";
import type { KvTraits } from "../policy.ts";
import { SLOT_GROUP } from "../slot_group.ts";
import type { KvNeed, KvOption, KvOptions, StrategyDef } from "../strategy_def.ts";
import { offloading } from "./offloading.ts";

const traits: KvTraits = {
  keeps: "all",
  exact: true,
  shares: false,
  preemptible: true,
  unforked: "its K and V in host memory are not copied",
};

/** Tokens of a sequence that a step computes: as many come back from the GPU at once. */
const CHUNK = 128;

const RESIDENT_LAYERS: KvOption = {
  flag: "resident-layers",
  label: "resident",
  placeholder: "layers",
  help: "Layers whose K and V offload leaves on the GPU",
  values: { min: 1, max: 1024 },
  default: 2,
};

class OffloadPolicy extends ContiguousPolicy {
  override readonly maxChunk = CHUNK;
}

/** Host memory behind a cache. */
export const OFFLOAD: StrategyDef = {
  name: "offload",
  line: { light: "#7F7F7F", dark: "#BDBDBD" },
  comparedIn: [],
  traits,
  options: { resident_layers: RESIDENT_LAYERS },
  policy: (need, options) =>
    new OffloadPolicy({
      traits,
      nRegions: regionsIn(need, residentOf(need, options)),
      capacity: capacityOf(need),
      growth: "static",
    }),
  addressing: (need, options) => contiguousAddressing(capacityOf(need), residentOf(need, options)),
  around: (need, options) => {
    const resident = residentOf(need, options), { nLayer, maxRows, nSequences } = need;
    if (resident === nLayer) return undefined;
    // The groups of slots that a step's tokens lie in: those of a sequence may begin and end within one.
    const stepSlots = Math.min(nSequences * CHUNK, maxRows) + nSequences * 2 * SLOT_GROUP;
    return offloading({ resident, nLayer, regionSlots: capacityOf(need), stepSlots });
  },
  cases: [], // those of `kv-cache`
};

function residentOf({ nLayer }: KvNeed, { resident_layers }: KvOptions): number {
  return Math.min(nLayer, Number(resident_layers));
}

/** Returns the slots of a region: whole groups, which are copied as they are. */
function capacityOf({ maxTokens }: KvNeed): number {
  return Math.ceil(maxTokens / SLOT_GROUP) * SLOT_GROUP;
}

/** Returns the sequences that have a region: a slot takes resident layers and both buffers. */
function regionsIn(need: KvNeed, resident: number): number {
  const { nSequences, nLayer, budgetTokens } = need, capacity = capacityOf(need);
  if (budgetTokens === undefined) return nSequences;
  const regions = Math.floor(budgetTokens * nLayer / Math.min(nLayer, resident + 2) / capacity);
  if (regions > 0) return Math.min(nSequences, regions);
  throw new UsageError(
    `The K/V budget is ${budgetTokens} tokens: expected room for ${capacity} in ${resident} layers and two buffers`,
  );
}
