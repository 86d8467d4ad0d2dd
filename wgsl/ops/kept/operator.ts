/**
 * The choice of tokens that stay, for each head. A strategy records it around attention (`src/kv/kept`); what is checked of
 * it stands here.
 */
import { isExactKv } from "../../../src/formats/kv_dtype.ts";
import { KEPT_FILES } from "../../../src/kv/kept/files.ts";
import type { Operator } from "../../../src/model/operator.ts";
import { MOST_CHECKED } from "../../../src/model/trial.ts";
import { promptTrial, stepTrial } from "./trials.ts";

/** The operator. */
export const KEPT: Pick<Operator, "name" | "files" | "checks"> = {
  name: "kept",
  files: Object.values(KEPT_FILES),
  checks: ({ config: { nHead, headDim }, tunings, kvDtypes }) =>
    tunings.flatMap((tuning, i) =>
      kvDtypes.filter((_, type) => i === 0 || type === 0).flatMap((dtype) => {
        const item = { nHead: Math.min(nHead, MOST_CHECKED.heads), headDim, tuning, dtype };
        const variant = `${dtype}, ${tuning.name} tuning`;
        return [
          { file: KEPT_FILES.choice, variant, trials: () => [promptTrial(item)] },
          // What a row adds is of keys as they are stored, of which the reference knows exact ones.
          ...isExactKv(dtype) ? [{ file: KEPT_FILES.step, variant, trials: () => [stepTrial(item)] }] : [],
        ];
      })
    ),
};
