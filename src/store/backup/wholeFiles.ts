/** Files copied whole and on disk, with the digest of what was copied. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, type ReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface FileDigest {
  readonly bytes: number;
  readonly sha256: string;
}

/** @param took told of the bytes of each piece */
function hashing(took: (bytes: number) => void): {
  readonly through: Transform;
  readonly digest: () => FileDigest;
} {
  const hash = createHash('sha256');
  let bytes = 0;
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      took(chunk.length);
      done(null, chunk);
    },
  });
  return { through, digest: () => ({ bytes, sha256: hash.digest('hex') }) };
}

export async function digestOf(
  file: string,
  took: (bytes: number) => void = () => undefined,
): Promise<FileDigest> {
  const { through, digest } = hashing(took);
  await pipeline(createReadStream(file), through.resume());
  return digest();
}

/**
 * Copies `from` to the new file `to`; on disk at return.
 * @returns null where `from` is not there
 */
export async function copyWhole(
  from: string,
  to: string,
  took: (bytes: number) => void = () => undefined,
): Promise<FileDigest | null> {
  const source = await opened(from);
  if (source === null) return null;
  const { through, digest } = hashing(took);
  await pipeline(source, through, createWriteStream(to, { flags: 'wx', mode: 0o600, flush: true }));
  return digest();
}

async function opened(file: string): Promise<ReadStream | null> {
  try {
    return (await open(file)).createReadStream();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** The names in `folder` are on disk at return. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
