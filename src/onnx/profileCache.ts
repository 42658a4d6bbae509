/**
 * Import results kept in files, so that the same profile is not taken twice. For the command line: the
 * service keeps profiles in its store.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImportResult } from '../control/ports.js';
import type { ProfileOptions } from '../core/profile.js';

/** Changes whenever layers are formed or times are given to them in another way: older results are not used then. */
const FORMAT = 1;

/**
 * What a profile depends on, as one string: the model's bytes, the machine, and every option it is taken with.
 * The order in which inputs are listed makes no difference.
 */
export function profileKey(modelSha256: string, machineId: string, options: ProfileOptions): string {
  const inputs = Object.entries(options.inputs)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { shape, fill }]) => [name, shape, fill ?? null]);
  const { optimizationLevel, intraOpThreads, runs, warmupRuns } = options;
  const facts = [FORMAT, modelSha256, machineId, optimizationLevel, intraOpThreads, runs, warmupRuns, inputs];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}

export interface ProfileCache {
  /** The result kept under a key; null where there is none, or a file that does not hold one. */
  read(key: string): Promise<ImportResult | null>;
  /** Keeps a result; the least recently written ones go when there are too many. */
  write(key: string, result: ImportResult): Promise<void>;
}

/**
 * A cache in a folder, which is made on the first write.
 * @param maxEntries most results kept, at least 1
 */
export function openProfileCache(folder: string, maxEntries: number): ProfileCache {
  const fileOf = (key: string): string => join(folder, `${key}.json`);
  return {
    async read(key) {
      let text: string;
      try {
        text = await readFile(fileOf(key), 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
      return parseEntry(text, key);
    },
    async write(key, result) {
      await mkdir(folder, { recursive: true });
      // Written aside and renamed: a reader never sees half a file.
      const aside = join(folder, `.${randomUUID()}.tmp`);
      await writeFile(aside, JSON.stringify({ key, ...result }));
      await rename(aside, fileOf(key));
      await dropOldest(folder, maxEntries);
    },
  };
}

function parseEntry(text: string, key: string): ImportResult | null {
  let entry: unknown;
  try {
    entry = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null; // damaged: it is taken again and overwritten
    throw error;
  }
  const { key: of, graph, profile } = (entry ?? {}) as Partial<ImportResult> & { key?: string };
  const whole = of === key && graph !== undefined && profile?.layers.length === graph.layers.length;
  return whole ? { graph, profile } : null;
}

async function dropOldest(folder: string, maxEntries: number): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  if (names.length <= maxEntries) return;
  const dated = await Promise.all(
    names.map(async (name) => ({ name, writtenAtMs: (await stat(join(folder, name))).mtimeMs })),
  );
  dated.sort((a, b) => a.writtenAtMs - b.writtenAtMs);
  for (const { name } of dated.slice(0, names.length - maxEntries))
    await rm(join(folder, name), { force: true });
}
