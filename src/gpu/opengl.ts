/**
 * Whether an adapter is reached through OpenGL, where compiling is slow. WebGPU does not tell it.
 *
 * @module
 */
import type { AdapterFacts } from "./adapter.ts";

/** What wgpu's OpenGL backend gives as this limit; its others give what the driver does, a thousand or so. */
const OPENGL_BINDINGS = 4294967295;

/** Whether an adapter is wgpu's on OpenGL. */
export function isOpenGl({ limits }: Pick<AdapterFacts, "limits">): boolean {
  return limits.maxBindingsPerBindGroup === OPENGL_BINDINGS;
}
