/** Linear products of a model. */
import { kvRowBytes } from "../../../src/kv/shape.ts";
import type { Operator } from "../../../src/model/operator.ts";
import { elementBytes, scaleBytes } from "../../../src/model/pack.ts";
import { FILES } from "./files.ts";
import {
  formFor,
  type LinearForm,
  type LinearOf,
  linearPlan,
  linearRowForm,
  linearRowsForms,
  normsRows,
  rowsOf,
} from "./forms.ts";
import { joinedChecks } from "./joined_trials.ts";
import { storedChecks } from "./stored_trials.ts";
import { linearChecks } from "./trials.ts";

/** A product whose costs are asked for. */
export interface CountedLinear extends LinearOf {
  /** True if it stores K and V in passing. Default: it does not. */
  readonly stores?: boolean;
}

/** The operator. */
export const LINEAR: Operator<LinearOf, CountedLinear> = {
  name: "linear",
  files: Object.values(FILES),
  plans(context, of) {
    const { tuning, weightsDtype } = context, [fewest, most] = of.rows ?? [1, Infinity];
    const single = linearRowForm(tuning, weightsDtype), many = linearRowsForms(tuning, weightsDtype);
    const all = [single, ...many];
    const formOf = (rows: number): LinearForm => rows <= tuning.maxSingleRows ? single : formFor(many, rows);
    return all.slice(all.indexOf(formOf(fewest)), all.indexOf(formOf(most)) + 1).map((form) => ({
      ...linearPlan(context, of, form),
      takes: (batch) => {
        const rows = rowsOf(batch, of);
        return rows >= fewest && rows <= most && formOf(rows) === form;
      },
    }));
  },
  cost(batch, { weightsDtype, kvDtype, tuning, config: { nHead } }, of) {
    const rows = rowsOf(batch, of), k = 4 * of.k4, n = 4 * of.n4;
    const stored = of.stores ? rows * kvRowBytes({ a4: of.n4 / 3, nHead, dtype: kvDtype }) : 0;
    const scales = scaleBytes(of.k4, 1, { tileGroup: 1, dtype: weightsDtype }) / 4;
    const read = k + (of.residual ? n : 0);
    const weights = elementBytes(weightsDtype) * k * n + scales * n + (of.bias ? 4 * n : 0);
    const found = of.best && rows <= tuning.chosenRows ? 8 * rows * of.best.parts : 0;
    const norms = of.normed && normsRows(rows, tuning);
    return {
      bytes: weights + 4 * rows * (read + n) + stored + found + (norms ? 8 * k : 0),
      macs: rows * k * n + (norms ? 4 * rows * k : 0),
    };
  },
  checks: (model) => [...linearChecks(model), ...storedChecks(model), ...joinedChecks(model)],
};
