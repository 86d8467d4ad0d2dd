/**
 * The sign of an adapter that is reached through OpenGL, which compiles slowly. WebGPU does not tell it.
 *
 * @module
 */
import type { AdapterFacts } from "./adapter.ts";

/** This limit's value on wgpu's OpenGL backend; others give the driver's, about a thousand. */
const OPENGL_BINDINGS = 4294967295;

/** Tells whether an adapter is wgpu's on OpenGL. */
export function isOpenGl({ limits }: Pick<AdapterFacts, "limits">): boolean {
  return limits.maxBindingsPerBindGroup === OPENGL_BINDINGS;
}
