/** Why the store could not do what it was asked; implementations throw nothing else for operational failures. */
export const storeErrorCodes = [
  'in-use', // another controller holds this database
  'locked', // another program keeps it locked beyond the busy timeout
  'read-only',
  'cannot-open',
  'corrupt',
  'newer', // written by a newer version of the product
  'foreign', // a SQLite database of something else
  'migration', // a migration failed, or one already applied was changed
  'full',
  'io',
  'moved', // the file is no longer where it was opened
  'constraint', // the row contradicts another, e.g. a deployment of a model that does not exist
  'version-back', // an older version of a deployment over a newer one
] as const;
export type StoreErrorCode = (typeof storeErrorCodes)[number];

/** An operational failure of the store, in words for the operator: which file, what is wrong, what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  constructor(
    readonly code: StoreErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
