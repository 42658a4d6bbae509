/** `backup.json`: what a backup holds, with the digests by which it is checked before it is restored. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Type, type Static } from 'typebox';
import { compileCheck } from '../../schema/problems.js';
import { BackupError } from './backupError.js';

const strict = { additionalProperties: false } as const;
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Bytes = Type.Integer({ minimum: 0 });

const ManifestSchema = Type.Object(
  {
    format: Type.Literal(1),
    /** Of the product that took it. */
    productVersion: Type.String(),
    takenAtMs: Type.Integer({ minimum: 0 }),
    /** Number of the last migration. */
    schema: Type.Integer({ minimum: 1 }),
    database: Type.Object({ bytes: Bytes, sha256: Sha256 }, strict),
    /** Model files, each named by its digest. */
    models: Type.Array(Type.Object({ sha256: Sha256, bytes: Bytes }, strict)),
    /** Digests of model files that the database names and that were not there, or damaged. */
    missing: Type.Array(Sha256),
    deployments: Type.Integer({ minimum: 0 }),
    decisions: Type.Integer({ minimum: 0 }),
  },
  strict,
);

export type BackupManifest = Static<typeof ManifestSchema>;

const check = compileCheck(ManifestSchema);

export const backupNames = {
  manifest: 'backup.json',
  database: 'cutpoint.db',
  models: 'models',
  modelFile: (sha256: string) => join('models', `${sha256}.onnx`),
} as const;

/** @throws BackupError `no-backup` */
export function readManifest(folder: string): BackupManifest {
  const file = join(folder, backupNames.manifest);
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'it is no JSON' : (error as NodeJS.ErrnoException).code;
    throw new BackupError(
      'no-backup',
      `${folder} is no backup: ${file} cannot be read (${reason ?? String(error)}).`,
    );
  }
  const checked = check(document);
  if (checked.ok) return checked.value;
  throw new BackupError(
    'no-backup',
    `${file} is not of a backup that this version of Cutpoint knows: ${checked.problems.join('; ')}.`,
  );
}
