/**
 * Colours for light and dark backgrounds that people with any colour vision tell apart, after Okabe & Ito:
 * https://jfly.uni-koeln.de/color/.
 */
import type { Colour, ColourKey } from "./figure.ts";

/** Colours and font of a drawing. */
export interface Theme {
  /** Font family in CSS syntax. */
  readonly font: string;
  readonly ink: string;
  /** Colour of secondary text and axes. */
  readonly faint: string;
  readonly grid: string;
  /** Colour of the background. */
  readonly paper: string;
  readonly shade: "light" | "dark";
}

type Shades = { readonly light: string; readonly dark: string };

const ORANGE: Shades = { light: "#E69F00", dark: "#E6A92B" };
const BLUE: Shades = { light: "#0072B2", dark: "#4FA8E0" };
const PURPLE: Shades = { light: "#AA4488", dark: "#D479B8" };
const GREY: Shades = { light: "#BDBDBD", dark: "#71757C" };

const COLOURS: Readonly<Record<ColourKey, Shades>> = {
  weights: GREY,
  activations: ORANGE,
  kv: PURPLE,
  tables: { light: "#56B4E9", dark: "#7CC8F2" },
  staging: { light: "#555555", dark: "#B4B4B4" },
  used: { light: "#882266", dark: "#D063AE" },
  later: ORANGE,
  internal: { light: "#E3BFD5", dark: "#7A4A68" },
  external: { light: "#9A9A9A", dark: "#8A8A8A" },
  free: { light: "#EBEBEB", dark: "#3A3E45" },
  waste: PURPLE,
  roof: { light: "#777777", dark: "#9A9A9A" },
  prefill: ORANGE,
  decode: BLUE,
  here: BLUE,
  paper: GREY,
  recompute: ORANGE,
  swap: BLUE,
  gained: { light: "#CCE3F0", dark: "#24465C" },
  lost: ORANGE,
};

/** Returns a colour in CSS syntax. */
export function cssOf(colour: Colour, { shade }: Theme): string {
  return (typeof colour === "string" ? COLOURS[colour] : colour)[shade];
}

/** Theme of print and light screens. */
export const LIGHT: Omit<Theme, "font"> = {
  shade: "light",
  ink: "#222222",
  faint: "#666666",
  grid: "#E4E4E4",
  paper: "#FFFFFF",
};

/** Theme of dark screens. */
export const DARK: Omit<Theme, "font"> = {
  shade: "dark",
  ink: "#E8E8E8",
  faint: "#A6A6A6",
  grid: "#33363B",
  paper: "#16181C",
};
