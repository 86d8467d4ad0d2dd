/** A trace as text files. Steps that ask for the same with other kernels are listed once. */
import { Trace, type TraceEvent } from "./fake_gpu.ts";
import { type Scene, type Take, traceScenes } from "./scenes.ts";
import { WgslTable } from "./wgsl_table.ts";

/** Where the recorded files are. */
export const FOLDER: URL = new URL("../golden_trace/", import.meta.url);

/** Traces all scenes and returns the files that show them, by name. */
export async function traceFiles(): Promise<Map<string, string>> {
  const trace = new Trace();
  const scenes = await traceScenes(trace);
  const table = new WgslTable(trace.kernels);
  const files = new Map<string, string>();
  for (const file of new Set(scenes.map((scene) => scene.file))) {
    files.set(`${file}.txt`, fileOf(scenes.filter((scene) => scene.file === file), table));
  }
  files.set("kernels.txt", table.kernels());
  files.set("wgsl.txt", table.wgsl());
  return files;
}

function fileOf(scenes: readonly Scene[], table: WgslTable): string {
  const listings = new Map<string, string>(); // where a listing was written down first
  const sections = scenes.map(({ title, takes }) =>
    [`=== ${title}`, ...takes.flatMap((take) => takeLines(take, { title, table, listings })), ""].join("\n")
  );
  return sections.join("\n");
}

function takeLines(
  { name, bytes, events }: Take,
  { title, table, listings }: {
    readonly title: string;
    readonly table: WgslTable;
    readonly listings: Map<string, string>;
  },
): string[] {
  const lines = [`--- ${name}`, bytes];
  const { used, listing } = listingOf(events, table);
  if (used.length > 0) lines.push(`kernels ${used.join(", ")}`);
  if (listing.length === 0) return lines;
  const key = listing.join("\n"), known = listings.get(key);
  if (known !== undefined) return [...lines, `as ${known}`];
  listings.set(key, `${title}: ${name}`);
  return [...lines, ...listing];
}

/** Lines with the labels of kernels, and the kernels by their names. */
function listingOf(events: readonly TraceEvent[], table: WgslTable): { used: string[]; listing: string[] } {
  const used: string[] = [], byLabel = new Map<string, string[]>();
  const listing = events.map(({ kernel, text }) => {
    if (!kernel) return text;
    const name = table.nameOf(kernel), names = byLabel.get(kernel.label) ?? [];
    byLabel.set(kernel.label, names);
    if (!used.includes(name)) used.push(name);
    if (!names.includes(name)) names.push(name);
    const which = names.indexOf(name); // of the step's kernels with this label
    return `${kernel.label}${which > 0 ? ` (${which + 1})` : ""} ${text}`;
  });
  return { used, listing };
}
