/**
 * Differences of two texts, line by line, as `diff -u` shows them and cut short.
 *
 * @module
 */

/** Lines shown of one file at most. */
const MOST_LINES = 40;

/** Describes how `after` differs from `before`; no lines if it does not. */
export function differences(name: string, before: string, after: string): string[] {
  if (before === after) return [];
  const changes = changesOf(before.split("\n"), after.split("\n"));
  const shown = changes.slice(0, MOST_LINES);
  const left = changes.length - shown.length;
  return [`${name}:`, ...shown, ...(left > 0 ? [`  … and ${left} lines more`] : [])];
}

/** Lines that were removed and added, with the number and the section of each run of them. */
function changesOf(before: readonly string[], after: readonly string[]): string[] {
  const changes: string[] = [];
  let a = 0, b = 0;
  while (a < before.length || b < after.length) {
    if (a < before.length && b < after.length && before[a] === after[b]) {
      a++;
      b++;
      continue;
    }
    const [endA, endB] = nextMatch(before, after, a, b);
    const section = before.slice(0, a + 1).findLast((line) => line.startsWith("==="));
    changes.push(`@@ line ${a + 1}${section ? `, ${section}` : ""}`);
    for (; a < endA; a++) changes.push(`- ${before[a]}`);
    for (; b < endB; b++) changes.push(`+ ${after[b]}`);
  }
  return changes;
}

/** The nearest pair of equal lines from a pair of different ones on, by the lines that are skipped for it. */
function nextMatch(
  before: readonly string[],
  after: readonly string[],
  a: number,
  b: number,
): [number, number] {
  for (let skipped = 1; skipped <= before.length - a + after.length - b; skipped++) {
    for (let i = Math.max(0, skipped - (after.length - b)); i <= Math.min(skipped, before.length - a); i++) {
      const j = skipped - i;
      if (before[a + i] !== undefined && before[a + i] === after[b + j]) return [a + i, b + j];
    }
  }
  return [before.length, after.length];
}
