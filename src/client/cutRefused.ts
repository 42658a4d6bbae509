/** Why a device cannot load a cut or switch to it, as the controller is told. */
import { kebabCasePattern, longestKebabCase } from '../protocol/fields.js';
import type { CutFailure } from './cutState.js';

const kebabCase = new RegExp(kebabCasePattern);

/** Thrown by a device's handlers to refuse a cut with a code of their own. */
export class CutRefused extends Error {
  override readonly name = 'CutRefused';

  /** @param code stable and kebab-case, e.g. `no-memory` @throws TypeError where it is not */
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    if (!kebabCase.test(code) || code.length > longestKebabCase) {
      throw new TypeError(
        `code must be kebab-case of up to ${longestKebabCase} characters, not ${JSON.stringify(code)}`,
      );
    }
  }
}

/** What `error` says to the controller; `code` where it has none of its own that fits. */
export function failureOf(error: unknown, code: string): CutFailure {
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof CutRefused ? error.code : code, message };
}
