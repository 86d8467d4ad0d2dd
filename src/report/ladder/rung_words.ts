/** The rungs of a ladder in words. */
import type { RungName } from "../../measure/ladder/rungs.ts";
import { inEnglish } from "../lang.ts";

/** The name of each rung in tables and charts, and what it changes. */
export const RUNG_WORDS: Readonly<Record<RungName, { readonly short: string; readonly changes: string }>> = {
  recompute: {
    short: inEnglish`no cache`,
    changes:
      inEnglish`the whole text is computed for each token; ids are awaited on the host after every token; buffers and
        bind groups are made anew in each step`,
  },
  concatenate: {
    short: inEnglish`cache, concatenated`,
    changes: inEnglish`K and V are kept in memory that grows by copying`,
  },
  reserve: {
    short: inEnglish`cache, allocated once`,
    changes: inEnglish`K and V have their memory from the beginning`,
  },
  reuse: {
    short: inEnglish`all reused, ids on GPU`,
    changes:
      inEnglish`buffers, kernels and bind groups are reused; many steps a submission; the next step finds its id on
        the GPU`,
  },
  half: {
    short: inEnglish`weights in f16`,
    changes: inEnglish`weight matrices are stored in half precision`,
  },
  blocks: {
    short: inEnglish`K/V in blocks (paging)`,
    changes: inEnglish`K and V are found through a block table`,
  },
  batch: {
    short: inEnglish`batch of 8`,
    changes: inEnglish`eight sequences are decoded together by continuous batching`,
  },
};
