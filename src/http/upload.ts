/** Receives an uploaded file: streamed to a temporary file, bounded and hashed on the way, never held in memory. */
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HttpProblem } from './problem.js';

export interface ReceivedFile {
  readonly file: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** @throws HttpProblem 413 beyond `maxBytes`, 400 where the sender breaks off; nothing is left behind then */
export async function receiveUpload(
  body: Readable,
  directory: string,
  maxBytes: number,
): Promise<ReceivedFile> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, `${randomUUID()}.part`);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) return done(tooLarge(maxBytes));
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(body, measure, createWriteStream(file, { flags: 'wx' }));
  } catch (error) {
    await discardUpload(file);
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE') {
      throw new HttpProblem(400, 'upload-incomplete', 'The upload broke off before its end.');
    }
    if (code === 'ENOSPC') {
      throw new HttpProblem(507, 'disk-full', 'There is no room for the file on the disk of the controller.');
    }
    throw error;
  }
  return { file, sha256: hash.digest('hex'), sizeBytes };
}

export async function discardUpload(file: string): Promise<void> {
  await rm(file, { force: true });
}

export function tooLarge(maxBytes: number): HttpProblem {
  return new HttpProblem(
    413,
    'model-too-large',
    `The file is larger than ${maxBytes} bytes; raise limits.maxModelBytes to take it.`,
  );
}
