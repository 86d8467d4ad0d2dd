/**
 * Colours for light and dark backgrounds that people with any colour vision tell apart, after Okabe & Ito:
 * https://jfly.uni-koeln.de/color/.
 *
 * @module
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
  /** Which of the colours that come with a chart are taken. */
  readonly shade: "light" | "dark";
  /** The colours of meanings. */
  readonly colours: Readonly<Record<ColourKey, string>>;
}

/** Returns a colour as CSS has it. */
export function cssOf(colour: Colour, { colours, shade }: Theme): string {
  return typeof colour === "string" ? colours[colour] : colour[shade];
}

/** For print and light screens. */
export const LIGHT: Omit<Theme, "font"> = {
  shade: "light",
  ink: "#222222",
  faint: "#666666",
  grid: "#E4E4E4",
  paper: "#FFFFFF",
  colours: {
    weights: "#BDBDBD",
    activations: "#E69F00",
    kv: "#AA4488",
    tables: "#56B4E9",
    staging: "#555555",
    used: "#882266",
    later: "#E69F00",
    internal: "#E3BFD5",
    external: "#9A9A9A",
    free: "#EBEBEB",
    waste: "#AA4488",
    roof: "#777777",
    prefill: "#E69F00",
    decode: "#0072B2",
    here: "#0072B2",
    paper: "#BDBDBD",
    recompute: "#E69F00",
    swap: "#0072B2",
  },
};

/** For dark screens. */
export const DARK: Omit<Theme, "font"> = {
  shade: "dark",
  ink: "#E8E8E8",
  faint: "#A6A6A6",
  grid: "#33363B",
  paper: "#16181C",
  colours: {
    weights: "#71757C",
    activations: "#E6A92B",
    kv: "#D479B8",
    tables: "#7CC8F2",
    staging: "#B4B4B4",
    used: "#D063AE",
    later: "#E6A92B",
    internal: "#7A4A68",
    external: "#8A8A8A",
    free: "#3A3E45",
    waste: "#D479B8",
    roof: "#9A9A9A",
    prefill: "#E6A92B",
    decode: "#4FA8E0",
    here: "#4FA8E0",
    paper: "#71757C",
    recompute: "#E6A92B",
    swap: "#4FA8E0",
  },
};
