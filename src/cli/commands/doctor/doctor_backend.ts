/**
 * The part of `doctor` about backends: which graphics API the adapter is reached through, which others give one, and
 * the way from OpenGL to Vulkan.
 */
import type { AdapterFacts } from "../../../gpu/adapter.ts";
import {
  type Backend,
  BACKEND_TITLES,
  BACKEND_VARIABLE,
  backendsOn,
  GL_COST,
  type KnownBackend,
  VULKAN_HINT,
} from "../../../gpu/backend.ts";
import { askedBackends } from "../../../host/variables.ts";
import { askBackends, mayAskBackends } from "../../session/backends.ts";

/** Backends in `doctor`'s report. */
export interface BackendReport {
  /** The backend in use. */
  in_use: Backend;
  /** The adapter of each of Deno's backends, null if it has none. Null as a whole if they can't be asked. */
  offers: Partial<Record<KnownBackend, string | null>> | null;
  /** The way to a better backend; null if there is none, or none is needed. */
  advice: string | null;
}

/** Asks each backend in a process of its own if that is permitted, and else goes by signs in this process. */
export async function backendReport({ webgpu, backend: seen }: AdapterFacts): Promise<BackendReport> {
  const asks = webgpu === "deno" && mayAskBackends();
  const found = asks ? await askBackends() : [];
  const offers = asks
    ? Object.fromEntries(
      backendsOn(Deno.build.os).map((backend) => [
        backend,
        found.find((each) => each.backend === backend)?.description ?? null,
      ]),
    )
    : webgpu === "dawn"
    ? {}
    : null;
  const [only, ...others] = found;
  const inUse = seen === "unknown" && only !== undefined && others.length === 0 ? only.backend : seen;
  const vulkan = asks ? found.some(({ backend }) => backend === "vulkan") : null;
  const advice = inUse === "gl" ? adviceOf({ os: Deno.build.os, asked: askedBackends(), vulkan }) : null;
  return { in_use: inUse, offers, advice };
}

/** Returns the way from OpenGL to Vulkan. `vulkan` is true if it gives an adapter, and null if it was not asked. */
export function adviceOf({ os, asked, vulkan }: {
  readonly os: typeof Deno.build.os;
  readonly asked: string | undefined;
  readonly vulkan: boolean | null;
}): string {
  const driver = os === "linux"
    ? `install its driver (${VULKAN_HINT}), or run \`deno task setup\` in a checkout`
    : "update the driver of the GPU";
  const unset = `unset ${BACKEND_VARIABLE}, which is ${JSON.stringify(asked)}`;
  const way = asked === undefined ? driver : vulkan === true ? unset : `${unset}, and ${driver}`;
  return `${GL_COST}. For Vulkan, ${way}`;
}

/** Returns the rows of `doctor`'s table. */
export function backendRows({ in_use, offers, advice }: BackendReport): [string, string][] {
  const rows: [string, string][] = [["backend", BACKEND_TITLES[in_use]]];
  if (offers === null) {
    rows.push(["other backends", "not asked: that needs --allow-run"]);
  } else {
    for (const [backend, description] of Object.entries(offers)) {
      if (backend !== in_use) {
        rows.push([`with ${BACKEND_TITLES[backend as KnownBackend]}`, description ?? "no adapter"]);
      }
    }
  }
  if (advice !== null) rows.push(["advice", advice]);
  return rows;
}
