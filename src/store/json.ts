/**
 * JSON columns. Plain JSON writes Infinity and NaN as null, which would be read back as "not known";
 * here they are written as `{"$number":"Infinity"}`. Properties that are undefined are left out, which
 * means the same in all records.
 */
import { StoreError } from '../control/storeError.js';

const TAG = '$number';

function tagNumber(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? { [TAG]: String(value) } : value;
}

function untagNumber(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !(TAG in value)) return value;
  const text = value[TAG];
  return typeof text === 'string' ? Number(text) : value;
}

/** The text of a JSON column. */
export function toJson(value: object | null): string {
  const text = JSON.stringify(value);
  // A number that JSON cannot hold shows as null; only then the slow way with a replacer is worth its time.
  return text.includes('null') && holdsNonFinite(value) ? JSON.stringify(value, tagNumber) : text;
}

function holdsNonFinite(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(holdsNonFinite);
  for (const name in value) if (holdsNonFinite((value as Record<string, unknown>)[name])) return true;
  return false;
}

/**
 * Texts of objects that do not change and are written many times, each made once and kept as long as its object.
 * Deployments that run the same cut share the object, a decision has it twice, and its deployment twice more.
 */
export class JsonTexts {
  readonly #texts = new WeakMap<object, string>();

  of(value: object): string {
    let text = this.#texts.get(value);
    if (text === undefined) {
      text = toJson(value);
      this.#texts.set(value, text);
    }
    return text;
  }
}

/**
 * The value of a JSON column; `T` is what this code wrote there.
 * @param where table, column and row, for the message
 * @throws StoreError `corrupt` when the text is not JSON
 */
export function fromJson<T>(text: string, where: string): T {
  try {
    return (text.includes(TAG) ? JSON.parse(text, untagNumber) : JSON.parse(text)) as T;
  } catch (error) {
    throw new StoreError(
      'corrupt',
      `The database is damaged: ${where} holds no JSON. Restore the database from a backup.`,
      { cause: error },
    );
  }
}
