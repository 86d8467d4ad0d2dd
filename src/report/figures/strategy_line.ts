/** Lines and colours of strategies. Those that this program does not know are grey. */
import { findStrategy } from "../../kv/registry.ts";
import type { Colour } from "./figure.ts";

/** The colour of strategies that are not known. */
const UNKNOWN = { light: "#777777", dark: "#9A9A9A" };

/** Returns the name, colour and dashes of a strategy's line. */
export function lineOf(
  name: string,
): { readonly name: string; readonly colour: Colour; readonly dashed: boolean } {
  return { name, colour: colourOf(name), dashed: findStrategy(name)?.line.dashed ?? false };
}

/** Returns a strategy's colour. */
export function colourOf(name: string): { readonly light: string; readonly dark: string } {
  const { light, dark } = findStrategy(name)?.line ?? UNKNOWN;
  return { light, dark };
}
