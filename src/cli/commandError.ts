/** How a command ends other than well. */

/** 0: done. 1: failed, or refused with a reason. 2: the command was not used as its help says. */
export const exitCodes = { ok: 0, failed: 1, usage: 2 } as const;

/** The command line itself is wrong: an option, a value, a field of a file that the user wrote. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'usage';
}

/** The command was understood and cannot be done; the message says why. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly code = 'refused';
}

/** A file given by the user does not say what it must; every problem is listed. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError';
  readonly code = 'document';
  constructor(what: string, problems: readonly string[]) {
    super(
      problems.length === 1
        ? `${what}: ${problems[0]!}`
        : `${what}:\n${problems.map((p) => `  ${p}`).join('\n')}`,
    );
  }
}

/**
 * The message of a failure that can happen to a correct program, which carries a stable code; undefined
 * for a defect of the program, which must crash with its stack.
 */
export function operationalMessage(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  if (error.code.startsWith('ERR_')) return undefined; // Node's word for a wrong use of its own functions
  if ('syscall' in error && 'path' in error && typeof error.path === 'string') {
    return `${error.path}: ${systemReasons[error.code] ?? error.message}`;
  }
  return error.message;
}

const systemReasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EISDIR: 'is a folder, not a file',
  ENOTDIR: 'a part of this path is a file, not a folder',
  ENOSPC: 'no space left',
  EROFS: 'the file system is read-only',
};
