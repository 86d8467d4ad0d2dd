/** The choice of tokens that stay, of one head: naively and in float64. */
import { keptOf, type KeptRule } from "../../../src/kv/kept/rule.ts";

/** Softmax of q · k / √D over keys. */
export function probabilitiesCpu(q: ArrayLike<number>, keys: readonly ArrayLike<number>[]): number[] {
  const scores = keys.map((key) =>
    Array.from(key, (value, d) => value * q[d]!).reduce((sum, each) => sum + each, 0) / Math.sqrt(q.length)
  );
  const highest = Math.max(...scores), weights = scores.map((score) => Math.exp(score - highest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** The probabilities that each token of a prompt gets from its rows, of which the last `observed` count. */
export function promptScoresCpu(
  queries: readonly ArrayLike<number>[],
  keys: readonly ArrayLike<number>[],
  observed: number,
): number[] {
  const scores = keys.map(() => 0);
  queries.forEach((q, row) => {
    if (row + observed < queries.length) return;
    probabilitiesCpu(q, keys.slice(0, row + 1)).forEach((probability, token) =>
      scores[token]! += probability
    );
  });
  return scores;
}

/** The scores of a prompt's tokens that may leave, each averaged with its neighbours. */
export function promptAveragesCpu(scores: readonly number[], { recent, pool }: KeptRule): number[] {
  const others = [...scores.keys()].slice(0, Math.max(0, scores.length - recent)), reach = (pool - 1) / 2;
  return others.map((position) =>
    others.filter((other) => Math.abs(other - position) <= reach)
      .reduce((sum, other) => sum + scores[other]!, 0) / pool
  );
}

/** The positions of a prompt's tokens that stay, ascending. */
export function promptChoiceCpu(scores: readonly number[], rule: KeptRule): number[] {
  const positions = scores.map((_, position) => position);
  if (keptOf(rule, scores.length) === scores.length) return positions;
  const averages = promptAveragesCpu(scores, rule), others = positions.slice(0, averages.length);
  const best = others.toSorted((a, b) => averages[b]! - averages[a]! || a - b).slice(0, rule.heavy);
  return [...best, ...positions.slice(others.length)].sort((a, b) => a - b);
}

/** A token that is kept, with the probabilities that it has got. */
export interface KeptToken {
  readonly position: number;
  readonly score: number;
}

/** The entry of the token that leaves behind the row at `position`, or -1 where none does. */
export function leavingCpu(tokens: readonly KeptToken[], position: number, rule: KeptRule): number {
  if (keptOf(rule, tokens.length) === tokens.length) return -1;
  const others = [...tokens.keys()].filter((entry) => tokens[entry]!.position + rule.recent <= position);
  const order = others.toSorted((a, b) =>
    tokens[a]!.score - tokens[b]!.score || tokens[b]!.position - tokens[a]!.position
  );
  return order[0]!;
}
