/** An import that looks first whether the same profile was taken before. */
import type { ImportResult, ModelImporter } from '../control/ports.js';
import type { ProfileOptions } from '../core/profile.js';
import { readModel } from './decode.js';
import { DEFAULT_IMPORT_LIMITS, type ImportLimits } from './limits.js';
import { describeMachine } from './machine.js';
import { profileKey, type ProfileCache } from './profileCache.js';

export interface CachedImport extends ImportResult {
  /** True where the profile was taken earlier. */
  readonly cached: boolean;
}

/**
 * Imports through `importer` unless `cache` has the result for the same model, machine and options.
 * @throws as the importer does; ImportRefused where the file is no model
 */
export async function importCached(
  file: string,
  options: ProfileOptions,
  parts: { readonly importer: ModelImporter; readonly cache: ProfileCache; readonly limits?: ImportLimits },
  hooks: Parameters<ModelImporter['import']>[2] = {},
): Promise<CachedImport> {
  const { sha256 } = await readModel(file, parts.limits ?? DEFAULT_IMPORT_LIMITS);
  const key = profileKey(sha256, describeMachine().id, options);
  const known = await parts.cache.read(key);
  if (known !== null) return { ...known, cached: true };
  const result = await parts.importer.import(file, options, hooks);
  await parts.cache.write(key, result);
  return { ...result, cached: false };
}
