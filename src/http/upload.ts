/** Receives an uploaded file: streamed to a temporary file, bounded and hashed on the way, never held in memory. */
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Events } from '../control/ports.js';
import { HttpProblem } from './problem.js';

export interface ReceivedFile {
  readonly file: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface UploadSettings {
  readonly uploadDirectory: string;
  readonly maxModelBytes: number;
  /** Uploads that may be received at the same time. */
  readonly maxUploads: number;
}

export class Uploads {
  #underWay = 0;

  constructor(
    private readonly events: Events,
    private readonly settings: UploadSettings,
  ) {}

  /**
   * Receives a file. A size that is announced as too large is refused unread.
   * @throws HttpProblem 413 for a file that is too large, 400 where the sender breaks off, 503 above the number of
   *   uploads at once, 507 where the disk is full; nothing is left behind then
   */
  async receive(body: Readable, announcedBytes: number): Promise<ReceivedFile> {
    const { uploadDirectory, maxModelBytes, maxUploads } = this.settings;
    if (this.#underWay >= maxUploads) {
      this.events.capHit('importQueue', { cap: maxUploads });
      throw new HttpProblem(503, 'too-many-uploads', 'Too many files are being uploaded; try again later.');
    }
    this.#underWay++;
    try {
      if (announcedBytes > maxModelBytes) throw tooLarge(maxModelBytes);
      return await receive(body, uploadDirectory, maxModelBytes);
    } catch (error) {
      if (error instanceof HttpProblem && error.status === 413) {
        this.events.capHit('modelBytes', { cap: maxModelBytes });
      }
      throw error;
    } finally {
      this.#underWay--;
    }
  }

  /** Removes what is left of a received file. */
  async discard({ file }: ReceivedFile): Promise<void> {
    await rm(file, { force: true });
  }
}

async function receive(body: Readable, directory: string, maxBytes: number): Promise<ReceivedFile> {
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
    await rm(file, { force: true });
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

function tooLarge(maxBytes: number): HttpProblem {
  return new HttpProblem(
    413,
    'model-too-large',
    `The file is larger than ${maxBytes} bytes; raise limits.maxModelBytes to take it.`,
  );
}
