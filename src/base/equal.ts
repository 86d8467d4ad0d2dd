/** Equality of plain data: what JSON can say. */

/** Tells whether two values are equal, objects and arrays by what they hold. Omitted and undefined fields differ. */
export function isDeepEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = Object.entries(a);
  return left.length === Object.keys(b).length &&
    left.every(([key, value]) =>
      Object.hasOwn(b, key) && isDeepEqual(value, (b as Record<string, unknown>)[key])
    );
}
