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
  return text.includes('null') ? JSON.stringify(value, tagNumber) : text;
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
