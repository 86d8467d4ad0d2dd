/** The kind of an adapter in words: hardware or software, and its graphics API where it is known. */
import { type Backend, BACKEND_TITLES } from "../gpu/backend.ts";

/** Says the kind, such as "software, Vulkan", with the given words for hardware and software. */
export function sayKind(
  { software, backend }: { readonly software: boolean; readonly backend: Backend },
  hardwareWord: string,
  softwareWord = "software",
): string {
  const kind = software ? softwareWord : hardwareWord;
  return backend === "unknown" ? kind : `${kind}, ${BACKEND_TITLES[backend]}`;
}
