/**
 * The files of the made-up weights, in a folder that git ignores. They are written when they are missing, and stay for
 * the next run: 2.2 GB in all storage types.
 */
import { fileURLToPath } from "node:url";
import { run } from "../command.ts";
import { SyntheticCheckpoint } from "../../src/checkpoint/synthetic.ts";
import { PeerError } from "./child.ts";
import { ggufBytes } from "./gguf.ts";
import type { Job } from "./peer.ts";
import { writeParts } from "./write_parts.ts";

const FOLDER = fileURLToPath(new URL("../../.cache/peers", import.meta.url));
/** Raised when the files' content changes. */
const EDITION = 1;

/** A format that a peer reads. */
export type WeightsFormat = "gguf" | "onnx";

/** Returns the path of a job's weights, without the end. */
export function weightsPath({ seed, storage }: Omit<Job, "weights">): string {
  return `${FOLDER}/gpt2-${storage}-seed${seed}-${EDITION}`;
}

/**
 * Writes a job's weights in a format, where they are missing.
 *
 * @throws {PeerError} If the package that knows the format can't be had.
 */
export async function writeWeights(format: WeightsFormat, job: Job): Promise<void> {
  const path = `${job.weights}.${format}`;
  if (await Deno.stat(path).then(() => true, () => false)) return;
  await Deno.mkdir(FOLDER, { recursive: true });
  if (format === "gguf") {
    return await writeParts(
      path,
      ggufBytes(new SyntheticCheckpoint("gpt2", job.config, job.seed), job.storage),
    );
  }
  const script = fileURLToPath(new URL("packages/write_onnx.ts", import.meta.url));
  const args = ["run", "--no-prompt", "--quiet", "-A", script, JSON.stringify(job)];
  const { success, stderr } = await run(Deno.execPath(), args);
  if (!success) throw new PeerError(`Cannot write ${path}: ${stderr.trim().split("\n").at(-1)}`);
}

/** Deletes all weights. */
export async function deleteWeights(): Promise<void> {
  await Deno.remove(FOLDER, { recursive: true }).catch((error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
