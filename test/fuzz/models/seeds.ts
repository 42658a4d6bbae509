/** Small real models to start from: a tiny network of the zoo's builder, and those of ../shared/models that import quickly. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ProfileOptions } from '../../../src/core/profile.js';
import { tinyModel } from './tinyModel.js';

export interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly inputs: ProfileOptions['inputs'];
}

const folder = new URL('../../../../../shared/models/', import.meta.url).pathname;

/** Larger files only make the same code slower to reach. */
const largestBytes = 400_000;
/** Their weights stand for much work: an import takes seconds although the file is small. */
const heavy = /^light_/;

/** Why the shared models are missing, or null. */
export const sharedMissing = existsSync(folder) ? null : `${folder} is not there: its models are not mutated`;

export function seeds(): Seed[] {
  const own: Seed[] = [{ name: 'tiny', bytes: tinyModel(), inputs: {} }];
  if (sharedMissing !== null) return own;
  const shapes = JSON.parse(readFileSync(join(folder, 'shapes.json'), 'utf8')) as Record<
    string,
    ProfileOptions['inputs']
  >;
  const shared = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.onnx') && !heavy.test(basename(file)))
    .filter((file) => statSync(join(folder, file)).size <= largestBytes)
    .sort()
    .map((file) => {
      const name = basename(file, '.onnx');
      return { name, bytes: readFileSync(join(folder, file)), inputs: shapes[name] ?? {} };
    });
  return [...own, ...shared];
}
