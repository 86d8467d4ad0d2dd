/**
 * `deno task gallery`: accepts the results in `results/`, or refuses one by name, and writes `docs/gallery.md`, its
 * picture, and the page `dist/gallery.html`. Before that, `deno task gallery here NAME` measures this machine's adapter,
 * and `deno task gallery software [ID…]` the software adapters of the conformance table. `--commit COMMIT` names the
 * commit of a result that does not know its own.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parseResult } from "../../src/measure/record/result.ts";
import { galleryFigure } from "../../src/report/gallery/figure.ts";
import { galleryView } from "../../src/report/gallery/view.ts";
import { reportPage } from "../../src/report/page/page.ts";
import { figurePng } from "../../src/report/png.ts";
import { environmentOf, IMPLEMENTATIONS } from "../conformance/implementations.ts";
import { deno } from "../command.ts";
import { withPart } from "../marked_part.ts";
import { acceptAll, GALLERY_RUN, KNOWN_KERNELS, type KnownKernels, type ResultFile } from "./accept.ts";
import { commitNamed, kernelsAt } from "./kernels_at.ts";
import { galleryMarkdown } from "./markdown.ts";

const ROOT = new URL("../../", import.meta.url);
const RESULTS = new URL("results/", ROOT);
const KERNELS = new URL("kernels.json", import.meta.url);
const PAGE = new URL("docs/gallery.md", ROOT);
const PICTURE = new URL("docs/gallery.png", ROOT);
const HTML = new URL("dist/gallery.html", ROOT);

/** Reads the files of `results/`, in the order of their names. */
export function resultFiles(): ResultFile[] {
  const names = [...Deno.readDirSync(RESULTS)].map(({ name }) => name).filter((name) =>
    name.endsWith(".json")
  );
  return names.sort().map((name) => ({
    name,
    json: JSON.parse(Deno.readTextFileSync(new URL(name, RESULTS))),
  }));
}

/** Measures a result under a name, with its progress on the terminal. */
async function measure(name: string, env: Record<string, string>): Promise<void> {
  console.log(`Measuring results/${name}.json`);
  const args = ["run", "--no-prompt", "-A", "mod.ts", ...GALLERY_RUN, "--json", `results/${name}.json`];
  await deno(args, { env, shows: true });
}

/**
 * Finds the commits of kernels that are not known yet: that which a result names, or `commit`.
 *
 * @returns All that are known then; the commits were looked at.
 */
async function known(files: readonly ResultFile[], commit: string | undefined): Promise<KnownKernels[]> {
  const all = [...KNOWN_KERNELS];
  for (const { name, json } of files) {
    const { environment: { kernels_sha256, git_commit } } = parseResult(json, name);
    if (all.some((each) => each.kernels_sha256 === kernels_sha256)) continue;
    const its = commit ?? git_commit;
    if (its !== null && await kernelsAt(its) === kernels_sha256) {
      all.push({ kernels_sha256, commit: await commitNamed(its) });
    }
  }
  return all;
}

/** Accepts the results and writes what shows them. */
async function write(commit: string | undefined): Promise<void> {
  const files = resultFiles();
  if (files.length === 0) {
    throw new Error("results/ is empty: expected a result, such as of deno task gallery here NAME");
  }
  const kernels = await known(files, commit);
  const accepted = acceptAll(files, kernels), results = accepted.map(({ result }) => result);
  await Deno.writeTextFile(KERNELS, `${JSON.stringify(kernels, null, 2)}\n`);
  const text = withPart(await Deno.readTextFile(PAGE), "gallery", galleryMarkdown(accepted, kernels));
  await Deno.writeTextFile(PAGE, text);
  await Deno.writeFile(
    PICTURE,
    await figurePng(galleryFigure(galleryView(results, "en")), { pixelRatio: 2 }),
  );
  await Deno.mkdir(new URL(".", HTML), { recursive: true });
  await Deno.writeTextFile(HTML, reportPage(results));
  await deno(["fmt", "--quiet", fileURLToPath(PAGE), fileURLToPath(KERNELS)]);
  console.log(`Accepted ${accepted.map(({ path }) => path).join(", ")}`);
  console.log("Wrote docs/gallery.md, docs/gallery.png and dist/gallery.html");
}

/** Does what the arguments ask for. */
async function main(): Promise<void> {
  const { values: { commit }, positionals: [task, ...names] } = parseArgs({
    args: Deno.args,
    options: { commit: { type: "string" } },
    allowPositionals: true,
  });
  const [name] = names;
  if (task === "here") {
    if (name === undefined || !/^[a-z0-9][a-z0-9-]*$/.test(name)) {
      throw new Error(
        "A result needs a name of its own: expected lower-case letters, digits and hyphens, such as here rtx-4090",
      );
    }
    if (resultFiles().some((file) => file.name === `${name}.json`)) {
      throw new Error(`results/${name}.json is there: expected another name`);
    }
    await measure(name, {});
  } else if (task === "software") {
    const ours = IMPLEMENTATIONS.filter(({ id, webgpu }) =>
      names.length === 0 ? webgpu === "deno" : names.includes(id)
    );
    for (const each of ours) await measure(each.id, await environmentOf(each));
  } else if (task !== undefined) {
    throw new Error(`No task ${task}: expected here NAME, software or nothing`);
  }
  await write(commit);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`gallery: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
