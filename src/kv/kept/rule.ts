/** Rules by which tokens stay, for each head apart, and the numbers that follow from them. */

/** A rule. Tokens are chosen once the prompt is computed, and after each further token if it is `everyStep`. */
export interface KeptRule {
  /** The last tokens, which stay. */
  readonly recent: number;
  /** Of the others, those with the largest scores, which stay too. */
  readonly heavy: number;
  /** The prompt's last rows whose probabilities count. */
  readonly observed: number;
  /** Neighbours over which scores are averaged, a token's own among them: odd. */
  readonly pool: number;
  /** True if tokens are chosen after every step; otherwise those behind the prompt all stay. */
  readonly everyStep: boolean;
}

/** The most entries that a row attends to where there is no bound, as words of tables have it. */
export const NO_BOUND = 0x7fffffff;

/** Returns the tokens that are kept of a prompt, or at most at any time if the choice is made in every step. */
export function keptOf({ heavy, recent }: KeptRule, tokens: number): number {
  return Math.min(tokens, heavy + recent);
}

/** Returns the tokens that are stored after a step. */
export function storedOf(rule: KeptRule, promptTokens: number, length: number): number {
  if (rule.everyStep) return keptOf(rule, length);
  const prompt = Math.min(promptTokens, length);
  return keptOf(rule, prompt) + length - prompt;
}

/** Returns the entries that the last row of a sequence goes through: in a prompt, all its tokens. */
export function entriesOf(rule: KeptRule, promptTokens: number, length: number): number {
  return length <= promptTokens ? length : storedOf(rule, promptTokens, length - 1) + 1;
}

/** Returns the slots that a sequence needs: for its tokens after the prompt, and its own while a step chooses. */
export function slotsOf(rule: KeptRule, promptTokens: number, length: number): number {
  const one = rule.everyStep ? 1 : 0;
  return Math.min(length, storedOf(rule, promptTokens, length) + one);
}

/** Returns the prompt's first row whose probabilities count. */
export function firstObservedOf({ observed }: KeptRule, promptTokens: number): number {
  return promptTokens - Math.min(promptTokens, observed);
}
