/** The WGSL of attention over all tokens. */
import allCode from "./kv_all.wgsl" with { type: "text" };
import type { WgslFile } from "../gpu/wgsl.ts";

/** Entries of strategies that keep all tokens: the tokens by their positions. */
export const KV_ALL: WgslFile = { name: "kv_all.wgsl", code: allCode };
