/**
 * Profiles that were taken before: one file each in a folder, under a name made of all that the result depends
 * on, so that `graph` and `decide` see the same times and nothing is measured twice.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ImportResult } from '../control/ports.js';
import type { Machine, ProfileOptions } from '../core/profile.js';
import { checkProfile } from '../schema/profile.js';

const mostEntries = 256;
const extension = '.cutpoint-profile.json';

export interface ProfileCache {
  /** Undefined where it was not taken before, or its file is not whole. */
  find(): Promise<ImportResult | undefined>;
  keep(result: ImportResult): Promise<void>;
}

/** `$XDG_CACHE_HOME/cutpoint`, by default `~/.cache/cutpoint`. */
export function defaultCacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'];
  return join(base !== undefined && base.startsWith('/') ? base : join(homedir(), '.cache'), 'cutpoint');
}

/** @param maxEntries oldest entries of the folder beyond this many go */
export async function openProfileCache(
  folder: string,
  modelSha256: string,
  machine: Machine,
  options: ProfileOptions,
  maxEntries = mostEntries,
): Promise<ProfileCache> {
  const importerHash = await hashOfImporter();
  const facts = [importerHash, modelSha256, machine.id, ...sortedOptions(options)];
  const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 40);
  const file = join(folder, `${key}${extension}`);
  return {
    async find() {
      const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
        throw error;
      });
      return text === undefined ? undefined : wholeResult(text, modelSha256);
    },
    async keep(result) {
      await mkdir(folder, { recursive: true });
      const partial = `${file}.${process.pid}.partial`;
      try {
        await writeFile(partial, JSON.stringify(result));
        await rename(partial, file);
      } finally {
        await rm(partial, { force: true });
      }
      await dropOldest(folder, maxEntries);
    },
  };
}

/** Another build of the importer may form other layers: its own code is part of what is kept for a model. */
export async function hashOfImporter(): Promise<string> {
  const folder = new URL('../onnx/', import.meta.url);
  const hash = createHash('sha256');
  const names = await readdir(folder);
  for (const name of names.filter((entry) => entry.endsWith('.js')).sort()) {
    hash.update(await readFile(new URL(name, folder)));
  }
  return hash.digest('hex');
}

function sortedOptions(options: ProfileOptions): unknown[] {
  const inputs = Object.entries(options.inputs).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    options.optimizationLevel,
    options.intraOpThreads,
    options.runs,
    options.warmupRuns,
    inputs.map(([name, { shape, fill }]) => [name, shape, fill ?? null]),
  ];
}

function wholeResult(text: string, modelSha256: string): ImportResult | undefined {
  let result: Partial<ImportResult>;
  try {
    result = JSON.parse(text) as Partial<ImportResult>;
  } catch {
    return undefined; // cut short by a full disk: it is measured again and replaced
  }
  const checked = checkProfile(result.profile);
  const whole =
    checked.ok &&
    checked.value.modelSha256 === modelSha256 &&
    result.graph?.layers.length === checked.value.layers.length;
  return whole ? (result as ImportResult) : undefined;
}

async function dropOldest(folder: string, maxEntries: number): Promise<void> {
  const entries = (await readdir(folder)).filter((name) => name.endsWith(extension));
  if (entries.length <= maxEntries) return;
  const aged = await Promise.all(
    entries.map(async (name) => {
      const info = await stat(join(folder, name)).catch(() => undefined);
      return { name, atMs: info?.mtimeMs ?? 0 };
    }),
  );
  aged.sort((a, b) => a.atMs - b.atMs);
  for (const { name } of aged.slice(0, entries.length - maxEntries)) {
    await rm(join(folder, name), { force: true });
  }
}
