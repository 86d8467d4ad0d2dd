/** Steps that are recorded one after another, some of which wait for the host. */

/** Steps that are recorded one after another, with what is to be waited for in between. */
export type Steps = Generator<Promise<void>, void>;

/** Goes through steps: at once where nothing is to be waited for, and else in the promise that it returns. */
export function inOrder(steps: Steps): Promise<void> | undefined {
  const { done, value } = steps.next();
  return done ? undefined : (async () => {
    await value;
    for (const waiting of steps) await waiting;
  })();
}
