/**
 * Numbers with units for people. Units are chosen here and nowhere else, so that tables, sentences and charts agree.
 *
 * @module
 */

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Returns the largest binary unit of which `bytes` is at least 1, with its size in bytes. */
export function byteUnit(bytes: number): { readonly name: string; readonly bytes: number } {
  let index = 0;
  // 1023.5 KiB would be shown as 1024 KiB, so it already counts as 1 MiB.
  while (index < BYTE_UNITS.length - 1 && Math.abs(bytes) >= 1023.5 * 1024 ** index) index++;
  return { name: BYTE_UNITS[index] ?? "B", bytes: 1024 ** index };
}

/** Formats bytes in a binary unit: "512 B", "9.4 MiB", "471 KiB". */
export function formatBytes(bytes: number): string {
  const unit = byteUnit(bytes);
  if (unit.bytes === 1) return `${Math.round(bytes)} B`;
  const value = bytes / unit.bytes;
  return `${value.toFixed(Math.abs(value) < 99.95 ? 1 : 0)} ${unit.name}`;
}

/** Formats a number with 3 significant digits and no exponent: 0.0123, 7.80, 31.2, 1230. */
export function formatSignificant(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const rounded = Number(value.toPrecision(3));
  const magnitude = Math.floor(Math.log10(Math.abs(rounded)));
  return rounded.toFixed(Math.min(Math.max(2 - magnitude, 0), 100));
}

/** Formats milliseconds with 3 significant digits: "7.80 ms", and "12.3 s" from 10 s on. */
export function formatMs(ms: number): string {
  const unit = timeUnit(ms);
  return `${formatSignificant(ms / unit.ms)} ${unit.name}`;
}

/** Formats a median and its range in one unit: "7.80 (7.71–7.93) ms". */
export function formatMsRange(medianMs: number, minMs: number, maxMs: number): string {
  const unit = timeUnit(maxMs);
  return `${formatRange(medianMs / unit.ms, minMs / unit.ms, maxMs / unit.ms)} ${unit.name}`;
}

/** Returns the unit that times up to `ms` milliseconds are shown in: s from 10 s on. */
export function timeUnit(ms: number): { readonly name: string; readonly ms: number } {
  return ms < 10_000 ? { name: "ms", ms: 1 } : { name: "s", ms: 1000 };
}

/** Formats a median and its range without a unit: "7.80 (7.71–7.93)". */
export function formatRange(...[median, min, max]: readonly [number, number, number]): string {
  return `${formatSignificant(median)} (${formatSignificant(min)}–${formatSignificant(max)})`;
}

/** Formats `part` of `whole` in percent: "38 %", "0.4 %"; "0 %" of nothing. */
export function formatPercent(part: number, whole: number): string {
  if (part === 0 || whole === 0) return "0 %";
  const percent = (100 * part) / whole;
  return `${percent.toFixed(Math.abs(percent) < 9.95 ? 1 : 0)} %`;
}

/** Formats a whole number with its digits in groups of three: "50 257". */
export function formatCount(value: number): string {
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, " ");
}

/** Formats a divergence as "0.0123" or, where it is small, "4.9e-12". */
export function formatDivergence(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : formatSignificant(value);
}

/** Formats a figure with its standard error, where it has one: "0.420 ± 0.032". */
export function formatEstimate(
  { value, error }: { readonly value: number; readonly error: number | null },
  format: (value: number) => string = formatSignificant,
): string {
  return error === null ? format(value) : `${format(value)} ± ${format(error)}`;
}
