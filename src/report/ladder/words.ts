/**
 * The ladder's words, which each language has: names, titles and sentences, which take figures that are formatted already.
 *
 * @module
 */
import type { ClaimName, ClaimVerdict } from "../../measure/findings/claims.ts";
import type { RungName } from "../../measure/ladder/rungs.ts";
import type { EvidenceWords } from "../evidence.ts";

/** A rung in words: its name in tables and charts, and what it changes. */
interface RungWords {
  readonly short: string;
  readonly changes: string;
}

/** Words of one language. */
export interface LadderWords {
  readonly title: string;
  /** Says in a line what was run. */
  heading(of: {
    readonly model: string;
    readonly adapter: string;
    readonly promptTokens: number;
    readonly newTokens: number;
  }): string;
  readonly software: string;
  readonly hardware: string;
  readonly rungs: Readonly<Record<RungName, RungWords>>;
  readonly columns: Readonly<
    Record<
      "rung" | "changes" | "msPerToken" | "factor" | "peak" | "published" | "publishedPeak" | "runs",
      string
    >
  >;
  /** Titles of the lower and the upper end of an interval. */
  readonly interval: readonly [low: string, high: string];
  /** Labels of the rows below the rungs. */
  readonly whole: string;
  readonly product: string;
  /** The answer: what paging is worth. */
  paging(of: {
    readonly rung: number;
    readonly factor: string;
    readonly sequences: string;
    readonly regions: string;
    readonly blocks: string;
    readonly tokens: string;
    readonly requests: string;
  }): string;
  /** Names the largest factors. */
  largest(of: readonly { readonly rung: number; readonly name: string; readonly factor: string }[]): string;
  /** Says whether the rungs multiply to the whole. */
  multiplies(
    of: { readonly whole: string; readonly product: string; readonly agrees: boolean | null },
  ): string;
  /** Says which ids were fed. */
  fed(
    of: { readonly from: number; readonly rungs: readonly { readonly rung: number; readonly ids: number }[] },
  ): string;
  /** Names what differs from eager frameworks. */
  eager(readback: string): string;
  /** Sets the published run beside it. */
  published(of: { readonly ms: string; readonly peaks: string; readonly gpu: string }): string;
  readonly differences: readonly string[];
  caution(text: string): string;
  busy(load: string, cpus: number): string;
  unquiet(percent: string): string;
  rushed(pairs: number, seconds: string): string;
  onCpu(adapter: string): string;
  readonly claims: Readonly<Record<ClaimName, string>>;
  readonly verdicts: Readonly<Record<ClaimVerdict, string>>;
  /** Says a claim in a line. */
  claim(of: Readonly<Record<"claim" | "verdict" | "figures", string>>): string;
  readonly claimsTitle: string;
  readonly claimsColumns: readonly [claim: string, verdict: string, figures: string];
  readonly claimsNote: string;
  readonly evidence: EvidenceWords;
  /** Words of the chart. */
  readonly chart: Readonly<Record<"title" | "axis" | "time" | "gained" | "lost" | "caption", string>>;
  /** Words of the page around it. */
  readonly page: Readonly<
    Record<"figures" | "differences", string>
  >;
}
