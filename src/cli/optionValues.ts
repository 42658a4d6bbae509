/** Values of options: text from the command line to checked values. */
import { readFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';
import type { ProfileOptions } from '../core/profile.js';
import { DocumentError, UsageError } from './commandError.js';

/** A parser for whole numbers from `low` to `high`. */
export function integerOption(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < low || value > high) {
      throw new InvalidArgumentError(`It must be a whole number from ${low} to ${high}.`);
    }
    return value;
  };
}

/** A parser for finite numbers above 0. */
export function positiveOption(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError('It must be a number above 0.');
  }
  return value;
}

/** Content of a file, or of stdin where `file` is `-`. */
export async function readText(file: string): Promise<string> {
  if (file !== '-') {
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      // the one failure of a read that Node tells without the path
      if (error instanceof Error && 'code' in error && error.code === 'EISDIR') {
        throw new DocumentError(file, ['is a folder, not a file']);
      }
      throw error;
    }
  }
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** @throws DocumentError where the text is no JSON; `what` names the file or the option */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DocumentError(what, [`is no JSON: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

/**
 * `--inputs`: `{"input": {"shape": [1, 3, 224, 224], "fill": 0}}`, or `@FILE` with the same.
 * @throws UsageError | DocumentError
 */
export async function readInputs(text: string | undefined): Promise<ProfileOptions['inputs']> {
  if (text === undefined) return {};
  const fromFile = text.startsWith('@');
  if (!fromFile && !text.trim().startsWith('{')) {
    throw new UsageError('--inputs: give JSON such as {"input":{"shape":[1,3,224,224]}} or @FILE');
  }
  const what = fromFile ? text.slice(1) : '--inputs';
  const { checkInputs } = await import('../schema/profile.js');
  const checked = checkInputs(parseJson(fromFile ? await readText(text.slice(1)) : text, what));
  if (!checked.ok) throw new DocumentError(what, checked.problems);
  return checked.value;
}
