/** Why a backup could not be taken or restored, in words for the operator. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  constructor(
    readonly code:
      | 'exists' // something is there already
      | 'no-backup' // the folder is none, or one of a later version
      | 'damaged', // a file is not what was written
    message: string,
  ) {
    super(message);
  }
}
