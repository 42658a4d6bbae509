/**
 * Puts a backup in place of a data folder. Everything is checked and brought to this version beside what is there. Then
 * the models are added, and one rename puts the database over the one before: whenever this is cut off, the folder
 * holds the old state or the new one.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import BetterSqlite, { type Database } from 'better-sqlite3';
import { StoreError } from '../../control/storeError.js';
import { openDatabase, restoreFolder, takeOwnership } from '../database.js';
import { productMigrations } from '../migrations.js';
import { storeFailure } from '../sqliteFailure.js';
import { BackupError } from './backupError.js';
import { backupNames, readManifest, type BackupManifest } from './manifest.js';
import type { BackupHooks } from './takeBackup.js';
import { copyWhole, syncFolder, type FileDigest } from './wholeFiles.js';

export interface Restored {
  readonly manifest: BackupManifest;
  /** Versions that each deployment skips, since devices may have seen them after the backup. */
  readonly versionsSkipped: number;
}

/** More than a deployment can get in a second: each takes a commit. */
const versionsPerSecond = 1_000;
const leastSkipped = 1_000_000;

/**
 * @param force replaces a database that is there
 * @throws BackupError; StoreError `in-use`, `newer`, `corrupt` …; nothing has changed then
 */
export async function restoreBackup(
  backup: string,
  dataFolder: string,
  { force, nowMs }: { readonly force: boolean; readonly nowMs: number },
  hooks: BackupHooks = {},
): Promise<Restored> {
  const from = resolve(backup);
  const to = resolve(dataFolder);
  const manifest = readManifest(from);
  mkdirSync(to, { recursive: true, mode: 0o700 });
  const database = join(to, backupNames.database);
  let lock: Database | null = null;
  const staging = restoreFolder(database);
  try {
    lock = takeOwnership(database);
    if (existsSync(database) && !force) {
      throw new BackupError(
        'exists',
        `${database} is there already. Restore into another folder (--data), or replace it with --force.`,
      );
    }
    await rm(staging, { recursive: true, force: true }); // of one that was cut off
    await mkdir(join(staging, backupNames.models), { recursive: true, mode: 0o700 });
    await stage(from, staging, manifest, hooks);
    const versionsSkipped = bringForward(join(staging, backupNames.database), manifest, nowMs);
    await putInPlace(staging, to, manifest);
    return { manifest, versionsSkipped };
  } catch (error) {
    throw storeFailure(error, database, 'restore');
  } finally {
    await rm(staging, { recursive: true, force: true });
    lock?.close();
  }
}

/** Copies all files, each checked against its digest. */
async function stage(
  from: string,
  staging: string,
  manifest: BackupManifest,
  { progress }: BackupHooks,
): Promise<void> {
  const total = manifest.models.reduce((sum, { bytes }) => sum + bytes, manifest.database.bytes);
  let done = 0;
  const took = (bytes: number) => progress?.('copying', (done += bytes) / total);
  const files: readonly (readonly [string, FileDigest])[] = [
    [backupNames.database, manifest.database],
    ...manifest.models.map((model) => [backupNames.modelFile(model.sha256), model] as const),
  ];
  for (const [name, { sha256 }] of files) {
    const copied = await copyWhole(join(from, name), join(staging, name), took);
    if (copied?.sha256 === sha256) continue;
    const how = copied === null ? 'is missing' : 'is not as it was written';
    throw new BackupError(
      'damaged',
      `The backup ${from} is damaged: ${name} ${how}. Nothing was restored; take another backup.`,
    );
  }
}

/**
 * The schema of this version, and a reserve of all versions that may have been given out since the backup: the
 * controller goes beyond it, so that none of them gets a second meaning.
 */
function bringForward(file: string, manifest: BackupManifest, nowMs: number): number {
  const { db, close } = openDatabase({
    file,
    migrations: productMigrations(),
    openTimeoutMs: 0,
    operationTimeoutMs: 0,
    synchronous: 'full',
  });
  try {
    const found = db.pragma('integrity_check(1)', { simple: true });
    const broken = db.pragma('foreign_key_check') as unknown[];
    if (found !== 'ok' || broken.length > 0) {
      throw new StoreError('corrupt', `The database of the backup is damaged (${String(found)}).`);
    }
    const seconds = Math.max(0, Math.ceil((nowMs - manifest.takenAtMs) / 1_000));
    const skipped = Math.max(leastSkipped, seconds * versionsPerSecond);
    db.prepare<[number]>(
      `INSERT INTO version_reservations SELECT id, version + ? FROM deployments WHERE true
       ON CONFLICT (deployment_id) DO UPDATE SET until_version = max(until_version, excluded.until_version)`,
    ).run(skipped);
    return skipped;
  } finally {
    close();
  }
}

/**
 * Brings what the write-ahead log holds into the database, so that the file alone is whole: a log must never meet
 * another database.
 */
async function foldLog(database: string): Promise<void> {
  if (!existsSync(database)) return;
  let db: Database | null = null;
  try {
    db = new BetterSqlite(database, { fileMustExist: true, timeout: 0 });
    db.pragma('wal_checkpoint(TRUNCATE)');
  } catch (error) {
    // damaged: it is replaced for that, and its log is worth nothing without it
    const failure = storeFailure(error, database, 'restore');
    if (!(failure instanceof StoreError) || failure.code !== 'corrupt') throw error;
  } finally {
    db?.close();
  }
  for (const left of [`${database}-wal`, `${database}-shm`]) await rm(left, { force: true });
}

async function putInPlace(staging: string, to: string, manifest: BackupManifest): Promise<void> {
  const { database, models, modelFile } = backupNames;
  for (const name of await readdir(staging)) {
    if (name.startsWith(`${database}-`))
      throw new StoreError('io', `${name} is left of the restored database.`);
  }
  // named by their content: what is there already is the same, and the database before knows nothing of the others
  const folder = join(to, models);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const { sha256 } of manifest.models)
    await rename(join(staging, modelFile(sha256)), join(to, modelFile(sha256)));
  await syncFolder(folder);
  await foldLog(join(to, database));
  await rename(join(staging, database), join(to, database));
  await syncFolder(to);
  const restored = new Set(manifest.models.map(({ sha256 }) => basename(modelFile(sha256))));
  for (const name of await readdir(folder)) if (!restored.has(name)) await rm(join(folder, name));
}
