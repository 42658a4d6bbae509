/** What control answers a request with that it does not fulfil; http gives each kind a status. */
export type ControlErrorKind =
  | 'not-found'
  | 'invalid' // a value that is wrong in itself
  | 'conflict' // right in itself, but not with what is there now
  | 'limit' // a cap of the configuration is reached
  | 'unavailable'; // right, but not now: try again

export class ControlError extends Error {
  override readonly name = 'ControlError';
  constructor(
    readonly kind: ControlErrorKind,
    /** Stable, kebab-case. */
    readonly code: string,
    message: string,
    /** The field of the request that is at fault, as it is written there. */
    readonly field?: string,
  ) {
    super(message);
  }
}

export function notFound(what: string, id: string): ControlError {
  return new ControlError('not-found', `${what}-not-found`, `There is no ${what} ${JSON.stringify(id)}.`);
}
