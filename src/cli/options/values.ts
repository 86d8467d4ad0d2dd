/** Parsers of option values: text in, checked value out. */
import { isKvDtype, type KvDtype } from "../../formats/kv_dtype.ts";
import { KV_DTYPES } from "../../formats/registry.ts";
import { InvalidArgumentError } from "./commander.ts";

/** Largest number of tokens in an option: more than any context has. */
export const MOST_TOKENS: number = 2 ** 20;

/** Largest number of seconds in an option: 20 days, which a timer can hold. */
export const MOST_SECONDS = 20 * 86_400;

/** A parser of whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `from ${min} to ${max}`;
      throw new InvalidArgumentError(`Expected a whole number ${range}`);
    }
    return value;
  };
}

/** A parser of whole numbers from `min` to `max` with commas between them, none twice. */
export function wholeNumbers(min: number, max: number): (text: string) => number[] {
  const parse = wholeNumber(min, max);
  return (text) => {
    const values = text.split(",").map((part) => parse(part.trim()));
    if (new Set(values).size < values.length) throw new InvalidArgumentError("A value stands twice");
    return values;
  };
}

/** A parser of a share: `5%` or `0.05`, from `min` to `max`, both shares. */
export function share(min: number, max: number): (text: string) => number {
  return (text) => {
    const [, number, percent] = text.match(/^(\d+(?:\.\d+)?)\s*(%?)$/) ?? [];
    const value = Number(number) / (percent === "%" ? 100 : 1);
    if (!(value >= min && value <= max)) {
      throw new InvalidArgumentError(`Expected a share from ${100 * min}% to ${100 * max}%, such as 5%`);
    }
    return value;
  };
}

/** A parser of decimal numbers from `min` to `max`. */
export function decimal(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= min && value <= max)) {
      throw new InvalidArgumentError(`Expected a number from ${min} to ${max}`);
    }
    return value;
  };
}

/** A parser of decimal numbers above 0, up to `max`. */
export function positive(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    // A number that is 0 in float32 is refused.
    if (text.trim() === "" || !(Math.fround(value) > 0 && value <= max)) {
      throw new InvalidArgumentError(`Expected a number above 0 and at most ${max}`);
    }
    return value;
  };
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** A number of bytes, as `64MiB` or `1.5 GB`. */
export function byteCount(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?i?b)$/i.exec(text.trim());
  const unit = BYTE_UNITS[match?.[2]?.toLowerCase() ?? ""];
  if (match === null || unit === undefined) {
    throw new InvalidArgumentError("Expected bytes with a unit, such as 64MiB or 12GB");
  }
  const bytes = Math.round(Number(match[1]) * unit);
  if (!Number.isSafeInteger(bytes)) throw new InvalidArgumentError("Expected at most 8388607GiB");
  return bytes;
}

/** The seed of `synthetic` or `synthetic:SEED`. */
export function syntheticSeed(text: string): number {
  const match = /^synthetic(?::(\d{1,9}))?$/.exec(text);
  if (!match) throw new InvalidArgumentError("Expected synthetic, or synthetic:SEED with a seed below 10^9");
  return Number(match[1] ?? 0);
}

/** Token ids, as `464,3290`. */
export function idList(text: string): number[] {
  if (text.trim() === "") throw new InvalidArgumentError("Expected token ids with commas between them");
  return text.split(",").map((part) => {
    const id = Number(part);
    if (!/^\s*\d+\s*$/.test(part) || id >= 2 ** 32) {
      throw new InvalidArgumentError("Expected token ids with commas between them, such as 464,3290");
    }
    return id;
  });
}

/** A parser of names with commas between them, each from `choices` and none twice. */
export function nameList<T extends string>(choices: readonly T[]): (text: string) => T[] {
  return (text) => {
    const names = text.split(",").map((name) => name.trim());
    for (const name of names) {
      if (!choices.includes(name as T)) {
        throw new InvalidArgumentError(`${JSON.stringify(name)} is unknown: expected ${choices.join(", ")}`);
      }
    }
    if (new Set(names).size < names.length) throw new InvalidArgumentError("A name stands twice");
    return names as T[];
  };
}

/** A parser of types of K and V with commas between them: a type for both, or K's, a slash and V's. */
export function kvDtypeList(text: string): KvDtype[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !isKvDtype(name));
  if (unknown === undefined) return nameList<KvDtype>(names)(text);
  throw new InvalidArgumentError(
    `${JSON.stringify(unknown)} is unknown: expected ${KV_DTYPES.join(", ")}, or K's and V's with a slash`,
  );
}

/** Collects the texts of a repeatable option; an empty text is refused, because every text begins with it. */
export function repeated(text: string, before: string[] = []): string[] {
  if (text === "") throw new InvalidArgumentError("It is empty: expected at least one character");
  return [...before, text];
}
