/**
 * The kind of an adapter in words: hardware or software, and the graphics API where it is known.
 *
 * @module
 */
import { type Backend, BACKEND_TITLES } from "../gpu/backend.ts";

/** Says the kind, such as "software, Vulkan"; the words for hardware and software can be chosen. */
export function sayKind(
  { software, backend }: { readonly software: boolean; readonly backend: Backend },
  hardwareWord: string,
  softwareWord = "software",
): string {
  const kind = software ? softwareWord : hardwareWord;
  return backend === "unknown" ? kind : `${kind}, ${BACKEND_TITLES[backend]}`;
}
