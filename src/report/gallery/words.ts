/**
 * The words of results of many adapters, which each language has; figures come formatted.
 *
 * @module
 */
import type { AdapterFigures, SelfCheckOutcome } from "../../measure/findings/adapters.ts";

/** Names of the figures of a row. */
export type FigureName = keyof AdapterFigures;

/** Words of one language. */
export interface GalleryWords {
  /** Title of so many results. */
  title(results: number): string;
  /** Says in a line what all of them ran. */
  heading(of: {
    readonly model: string;
    readonly promptTokens: number;
    readonly newTokens: number;
    readonly batch: number;
  }): string;
  readonly software: string;
  readonly hardware: string;
  /** Outcomes of self-checks. */
  readonly outcomes: Readonly<Record<SelfCheckOutcome, string>>;
  /** Says how close to its tolerance the worst check came. */
  closest(error: string, tolerance: string): string;
  /** Titles of the columns before the figures. */
  readonly columns: Readonly<Record<"check" | "checkShort" | "adapter" | "program" | "claims", string>>;
  /** Titles of the figures; a strategy that no result has is undefined. */
  figures(of: Readonly<Record<"none" | "cache" | "sharing", string>>): Readonly<Record<FigureName, string>>;
  /** Says which program and when. */
  program(
    of: Readonly<Record<"version" | "commit" | "kernels" | "deno" | "date", string>>,
  ): { readonly short: string; readonly long: string };
  /** Stands for a commit that is not recorded. */
  readonly noCommit: string;
  /** Says that kernels differ. */
  kernelsDiffer(sets: number): string;
  /** Says that adapters compute on the CPU. */
  onCpu(software: number, all: number): string;
  /** Names adapters whose results do not tell whether they are right, or tell that they are not. */
  unchecked(adapters: string): string;
  wrong(adapters: string): string;
  incomplete(adapters: string): string;
  noisy(adapters: string): string;
  readonly and: string;
  caution(text: string): string;
  /** Words of the page around the tables. */
  readonly page: Readonly<
    Record<
      | "filter"
      | "filterHint"
      | "all"
      | "shown"
      | "sort"
      | "none"
      | "reading"
      | "tableTitle"
      | "claimsTitle"
      | "details",
      string
    >
  >;
  /** Words of the picture. */
  readonly chart: {
    readonly title: string;
    readonly axis: string;
    readonly caption: string;
    gain(none: string, cache: string): string;
    speed(cache: string, sharing: string): string;
    readonly interval: readonly [low: string, high: string];
  };
}
