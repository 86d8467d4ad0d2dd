/**
 * The rules for a result in `results/`: its schema, one plan and model for all, a self-check that all of it passed, and
 * kernels of a known commit.
 */
import { KvbenchError } from "../../src/base/errors.ts";
import { selfCheckOf } from "../../src/measure/findings/adapters.ts";
import { assertOfOnePlan, type NamedResult } from "../../src/measure/record/one_plan.ts";
import { parseResult } from "../../src/measure/record/result.ts";
import { EMBEDDED_NAME } from "../../src/hub/embedded.ts";
import known from "./kernels.json" with { type: "json" };

/** Arguments of the run that makes a result: short, on the embedded model, with the strategies that claims are about. */
export const GALLERY_RUN: readonly string[] = [
  "bench",
  "--sweep",
  "prompt-tokens=32,256",
  "--new-tokens",
  "16",
  "--max-seconds",
  "30",
  "--no-serving",
];

/** Kernels by the hash that a result has of them, and the commit whose kernels they are. */
export interface KnownKernels {
  readonly kernels_sha256: string;
  readonly commit: string;
}

/** Kernels of commits that results are accepted of. `deno task gallery` adds to them, and looks at the commit. */
export const KNOWN_KERNELS: readonly KnownKernels[] = known;

/** A file of `results/`, parsed. */
export interface ResultFile {
  readonly name: string;
  readonly json: unknown;
}

/**
 * Accepts the results of a gallery.
 *
 * @throws {KvbenchError} Naming the first one that is refused, with the reason.
 */
export function acceptAll(
  files: readonly ResultFile[],
  kernels: readonly KnownKernels[] = KNOWN_KERNELS,
): NamedResult[] {
  const accepted: NamedResult[] = [];
  for (const { name, json } of files) {
    const named = { path: name, result: parseResult(json, name) };
    assertAccepted(named, kernels);
    assertOfOnePlan(accepted[0] ?? named, named, {
      what: (path) => `accept ${path}`,
      expected: "results of one plan and model",
    });
    accepted.push(named);
  }
  return accepted;
}

/** Returns the commit whose kernels a result was measured with. */
export function commitOfKernels(
  { environment: { kernels_sha256: hash } }: NamedResult["result"],
  kernels: readonly KnownKernels[] = KNOWN_KERNELS,
): string | undefined {
  return kernels.find(({ kernels_sha256 }) => kernels_sha256 === hash)?.commit;
}

function assertAccepted({ path, result }: NamedResult, kernels: readonly KnownKernels[]): void {
  const { complete, command, model } = result;
  const refuse = (fact: string, expected: string): never => {
    throw new KvbenchError(`Cannot accept ${path}: ${fact}, expected ${expected}`);
  };
  if (!complete) refuse("it is not complete", "a run that was not interrupted");
  if (!GALLERY_RUN.every((argument, i) => command[i] === argument)) {
    refuse(`its command is another (${command.join(" ")})`, `kvbench ${GALLERY_RUN.join(" ")}`);
  }
  if (model.name !== EMBEDDED_NAME) {
    refuse(`its model is ${model.name}`, `the embedded one, ${EMBEDDED_NAME}`);
  }
  const outcome = selfCheckOf(result);
  if (outcome !== "right") refuse(`its self-check is ${outcome}`, "every check of it right");
  if (commitOfKernels(result, kernels) === undefined) {
    const hash = result.environment.kernels_sha256.slice(0, 16);
    refuse(
      `its kernels (${hash}…) are of no known commit`,
      "deno task gallery --commit COMMIT with the commit that has them",
    );
  }
}
