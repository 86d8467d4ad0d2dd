/** Faults of a page for people who use assistive technology, as axe-core finds them. */
import axe from "axe-core";
import type { Page } from "playwright-core";

/** Impacts of a violation that a page may not have. */
const SERIOUS: readonly unknown[] = ["serious", "critical"] satisfies axe.ImpactValue[];

/** Lists what a page may not have of it, as "rule: selector, fault". */
export async function inaccessibleIn(page: Page, options: axe.RunOptions = {}): Promise<string[]> {
  await page.evaluate(axe.source);
  const run = `axe.run(${JSON.stringify({ resultTypes: ["violations"], ...options })})`;
  const { violations } = await page.evaluate<axe.AxeResults>(run);
  return violations.filter(({ impact }) => SERIOUS.includes(impact)).flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary = "" }) =>
      `${id}: ${target.join(" ")}, ${failureSummary.split("\n").at(-1)!.trim()}`
    )
  );
}
