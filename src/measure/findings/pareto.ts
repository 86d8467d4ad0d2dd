/** The frontier between a cost and a loss: what nothing else beats in both. */

/** A cost and a loss; less of each is better. */
export type Trade = readonly [cost: number, loss: number];

/** Returns the items that no other one beats in one of cost and loss without being worse in the other, by cost. */
export function frontierOf<T>(items: readonly T[], tradeOf: (item: T) => Trade): T[] {
  const sorted = items.toSorted((a, b) => {
    const [[cost, loss], [otherCost, otherLoss]] = [tradeOf(a), tradeOf(b)];
    return cost - otherCost || loss - otherLoss;
  });
  const frontier: T[] = [];
  let least = Infinity;
  for (const item of sorted) {
    const [, loss] = tradeOf(item);
    if (loss >= least) continue;
    least = loss;
    frontier.push(item);
  }
  return frontier;
}
