/** JSON for people and line-based tools: objects are indented, a list of plain values takes one line. */

/** Formats a value as JSON, no newline at the end. */
export function formatJson(value: unknown, indent = ""): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const wrap = ([open, close]: string, parts: string[]) =>
    parts.length === 0
      ? `${open}${close}`
      : `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
  if (Array.isArray(value)) {
    if (value.every((each) => typeof each !== "object" || each === null)) return JSON.stringify(value);
    return wrap("[]", value.map((each) => formatJson(each, inner)));
  }
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return wrap("{}", entries.map(([key, each]) => `${JSON.stringify(key)}: ${formatJson(each, inner)}`));
}
