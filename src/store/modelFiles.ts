/** The ONNX files of the models, in one folder, named by the hash of their bytes. */
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelFiles } from '../control/ports.js';

/** @param folder on the same file system as the uploads, so that keeping a file is a rename */
export function modelFilesIn(folder: string): ModelFiles {
  const pathOf = (sha256: string) => join(folder, `${sha256}.onnx`);
  return {
    async keep(uploadedFile, sha256) {
      await mkdir(folder, { recursive: true });
      await rename(uploadedFile, pathOf(sha256));
      return pathOf(sha256);
    },
    async find(sha256) {
      try {
        await access(pathOf(sha256));
        return pathOf(sha256);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    },
    async remove(sha256) {
      await rm(pathOf(sha256), { force: true });
    },
  };
}
