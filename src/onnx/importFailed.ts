/** Why an import failed without the model being at fault; `code` is stable. */
export class ImportFailed extends Error {
  override readonly name = 'ImportFailed';
  constructor(
    readonly code: 'aborted' | 'timeout' | 'out-of-memory' | 'crashed' | 'busy' | 'closed' | 'internal',
    message: string,
  ) {
    super(message);
  }
}
