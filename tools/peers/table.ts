/**
 * The table of a comparison: times, memory and deviations of each peer, then kvbench's times over each peer's.
 */
import { median } from "../../src/measure/statistics/statistics.ts";
import { drawTable, type TableRow } from "../../src/report/text_table.ts";
import { formatBytes, formatSignificant } from "../../src/report/units.ts";
import { wrap } from "../../src/report/wrap.ts";
import {
  type Measure,
  MEASURES,
  medianMs,
  type PeerRecord,
  type PeersRecord,
  ratioInTurns,
} from "./record.ts";
import { BEST, KVBENCH } from "./roster.ts";

const TITLES = ["dec. 128", "dec. 512", "pre. 128", "pre. 512"];
/** Load average per core, above which a machine is busy. */
const BUSY_LOAD = 0.5;
/** Tokens of each measure that a rate is told of. */
const PREFILLED: Readonly<Partial<Record<Measure, number>>> = { prefill_128: 128, prefill_512: 512 };

/** Draws both tables and the notes, in at most 80 columns. */
export function peersTable({ peers, rounds, machine, date }: PeersRecord): string {
  const groups = [...Map.groupBy(peers, ({ storage }) => storage)];
  const times: TableRow[] = groups.flatMap(([heading, own]) => [{ heading }, ...own.map(timesRow)]);
  const ratios: TableRow[] = groups.flatMap(([heading, own]) => {
    const base = own.find(({ peer }) => peer === KVBENCH.name);
    const others = own.filter((each) => each !== base && Object.keys(each.samples).length > 0);
    return base && others.length > 0 ? [{ heading }, ...others.map((other) => ratiosRow(base, other))] : [];
  });
  const [before] = machine.load_average ?? [];
  const load = before === undefined
    ? ""
    : `, load average ${before.toFixed(1)} before it began${
      before > BUSY_LOAD * machine.cpu.cores ? ": not a quiet machine" : ""
    }`;
  return [
    drawTable(times, { head: ["", ...TITLES, "memory", "off by"] }),
    "",
    ...wrap(
      `Decode in ms a token after 128 and 512 tokens, prefill in tokens a second; median of ${rounds} rounds or, ` +
        'where a peer is slow, fewer. Memory is the most that the process had. "Off by" is the largest deviation ' +
        "of its logits (tfjs: of a product) from a float64 reference's.",
    ),
    "",
    ...(ratios.length === 0 ? [] : [
      "kvbench's time over the peer's, in turns; ± half of the 95 % interval",
      "",
      drawTable(ratios, { head: ["", ...TITLES] }),
      "",
    ]),
    ...notes(peers.filter(({ peer }) => peer !== BEST.name)),
    ...bestNotes(peers),
    ...wrap(
      `${date.slice(0, 10)}, ${machine.cpu.model ?? machine.arch}, ${machine.cpu.cores} CPU cores${load}.`,
    ),
  ].join("\n");
}

function timesRow(record: PeerRecord): string[] {
  const cells = MEASURES.map((name) => {
    const ms = medianMs(record, name), tokens = PREFILLED[name];
    if (ms === undefined) return "–";
    return tokens === undefined ? formatSignificant(ms) : formatSignificant(1000 * tokens / ms);
  });
  const { peer, peak_bytes, check } = record;
  const memory = peak_bytes == null ? "–" : formatBytes(peak_bytes);
  const deviation = check === undefined
    ? "–"
    : `${check.deviation.toExponential(0)}${check.right ? "" : " wrong"}`;
  return [` ${peer}`, ...cells, memory, deviation];
}

function ratiosRow(base: PeerRecord, other: PeerRecord): string[] {
  const cells = MEASURES.map((name) => {
    const found = ratioInTurns(base, other, name);
    if (!found) return "–";
    const { ratio, interval: [low, high], rounds } = found;
    // Of fewer rounds there is no interval.
    return formatSignificant(ratio) + (rounds < 3 ? "" : ` ±${((high - low) / 2).toPrecision(1)}`);
  });
  return [` ${other.peer}`, ...cells];
}

/** Tells of each peer what it is, or why it was not measured; once where that is so for all storage types. */
function notes(peers: readonly PeerRecord[]): string[] {
  const of = Map.groupBy(peers, ({ peer }) => peer);
  return [...of].flatMap(([peer, records]) => {
    const said = Map.groupBy(records, ({ ready, failed, skipped }) =>
      [
        ...(ready ? [`${ready.version}, on ${ready.runs_on}`] : []),
        ...(failed === undefined ? [] : [`not measured: ${failed}`]),
        ...(skipped === undefined ? [] : [skipped]),
      ].join("; "));
    return [...said].flatMap(([text, own]) => {
      const where = said.size === 1 ? "" : ` in ${own.map(({ storage }) => storage).join(" and ")}`;
      return wrap(`${peer}${where}: ${text}.`);
    });
  });
}

/** Explains the adapter's best times, and names the native programs that are faster, fastest round against fastest. */
function bestNotes(peers: readonly PeerRecord[]): string[] {
  const bests = new Map(peers.filter(({ peer }) => peer === BEST.name).map((best) => [best.storage, best]));
  const failed = [...bests.values()].find((best) => best.failed !== undefined)?.failed;
  if (failed !== undefined) return wrap(`${BEST.name}: not measured: ${failed}.`);
  const rates = [...bests.values()].flatMap(({ samples }) =>
    Object.values(samples).flatMap((own) => own.flatMap(({ rates = [] }) => rates))
  );
  if (rates.length === 0) return [];
  const [bytes, macs] = (["gb_per_s", "gmacs_per_s"] as const).map((key) =>
    formatSignificant(median(rates.map((each) => each[key])))
  );
  const adapter = peers.find(({ peer }) => peer === BEST.name)!.ready!.runs_on;
  const native = peers.filter(({ ready }) => ready && ready.runs_on !== adapter);
  const faster = native.flatMap((record) => {
    const best = bests.get(record.storage);
    const titles = TITLES.filter((_, i) => shortestMs(record, MEASURES[i]!) < shortestMs(best, MEASURES[i]!));
    return titles.length === 0 ? [] : [`${record.peer} in ${record.storage} (${titles.join(", ")})`];
  });
  return wrap(
    `${BEST.name}: the least time that a WGSL program could take on ${adapter}: the longer of reading weights, K and V ` +
      `once at ${bytes} GB/s and of all multiply-adds at ${macs} G/s, the rates of probes in the same turns. A product ` +
      "of int8 counts as a multiply-add of f32: a software adapter has no integer dot product. " +
      (native.length === 0
        ? ""
        : faster.length === 0
        ? "No native program has a round that is faster than all of these."
        : `No such program could close the gap to these, whose fastest round beats all of its: ${
          faster.join("; ")
        }.`),
  );
}

/** The shortest time of a measure, of which other work on the machine has the least share; NaN where there is none. */
function shortestMs(record: PeerRecord | undefined, name: Measure): number {
  const samples = record?.samples[name] ?? [];
  return samples.length === 0 ? NaN : Math.min(...samples.map(({ ms }) => ms));
}
