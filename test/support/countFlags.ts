/** Flags of a command that are whole numbers, and `--json FILE`. */
import { parseArgs } from 'node:util';

/** A command that was called wrongly; the message says what is wrong. */
export class WrongUsage extends Error {
  override readonly name = 'WrongUsage';
}

/**
 * @param defaults name and value of each where it is not given @param least smallest value of all of them
 * @throws WrongUsage
 */
export function countFlags<Name extends string>(
  defaults: Readonly<Record<Name, number>>,
  least: number,
): { readonly counts: Readonly<Record<Name, number>>; readonly json: string | undefined } {
  const names = Object.keys(defaults) as Name[];
  const values = given([...names, 'json']);
  const counts = names.map((name) => {
    const text = values[name];
    const value = text === undefined ? defaults[name] : Number(text);
    if (text?.trim() === '' || !Number.isSafeInteger(value) || value < least) {
      throw new WrongUsage(`--${name} must be a whole number from ${least}, not ${text}`);
    }
    return [name, value] as const;
  });
  return { counts: Object.fromEntries(counts) as Record<Name, number>, json: values['json'] };
}

function given(names: readonly string[]): Readonly<Record<string, string | undefined>> {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new WrongUsage(error instanceof Error ? error.message : String(error));
  }
}
