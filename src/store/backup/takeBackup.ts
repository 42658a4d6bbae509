/**
 * A backup of a data folder, also beside a running controller: the database as of one moment, and the model files that it
 * names. It is put together under another name, so that a folder of the wanted name is always a whole backup.
 */
import { existsSync, statSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import BetterSqlite, { type Database } from 'better-sqlite3';
import { StoreError } from '../../control/storeError.js';
import { pendingMigrations, productMigrations } from '../migrations.js';
import { storeFailure } from '../sqliteFailure.js';
import { BackupError } from './backupError.js';
import { backupNames, type BackupManifest } from './manifest.js';
import { copyWhole, digestOf, syncFolder } from './wholeFiles.js';

export interface BackupHooks {
  /** `fraction` from 0 to 1. */
  readonly progress?: (stage: string, fraction: number) => void;
}

/** A file that is in a backup as long as it is put together. */
const unfinished = 'unfinished';
const pagesPerStep = 2_000;
/** The controller never waits for a reader; a reader waits for the moment in which it opens or closes the file. */
const busyTimeoutMs = 5_000;
/** A model that is deleted while its file is to be copied is not in the next copy of the database. */
const attempts = 3;

interface Content {
  readonly schema: number;
  readonly deployments: number;
  readonly decisions: number;
  readonly models: readonly { readonly sha256: string; readonly bytes: number }[];
}

/**
 * @param dataFolder of the controller
 * @param target folder to make
 * @throws BackupError `exists`; StoreError when the database cannot be used; errors of the file system
 */
export async function takeBackup(
  dataFolder: string,
  target: string,
  productVersion: string,
  nowMs: number,
  hooks: BackupHooks = {},
): Promise<BackupManifest> {
  const folder = resolve(target);
  if (existsSync(folder)) {
    throw new BackupError(
      'exists',
      `${folder} is there already. Give the name of a new folder, or remove that one.`,
    );
  }
  const partial = `${folder}.partial`;
  await mkdir(dirname(folder), { recursive: true });
  for (let attempt = 1; ; attempt++) {
    await removeOfOneCutOff(partial);
    await mkdir(join(partial, backupNames.models), { recursive: true, mode: 0o700 });
    await writeFile(join(partial, unfinished), '');
    try {
      const manifest = await fill(partial, resolve(dataFolder), productVersion, nowMs, hooks);
      if (manifest.missing.length > 0 && attempt < attempts) continue;
      await writeFile(join(partial, backupNames.manifest), `${JSON.stringify(manifest, null, 2)}\n`, {
        flush: true,
        mode: 0o600,
      });
      await rm(join(partial, unfinished));
      for (const each of [join(partial, backupNames.models), partial]) await syncFolder(each);
      await rename(partial, folder);
      await syncFolder(dirname(folder));
      return manifest;
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      throw error;
    }
  }
}

/** @throws BackupError `exists` where the folder is none that a backup made */
async function removeOfOneCutOff(partial: string): Promise<void> {
  const isOurs = existsSync(join(partial, unfinished)) || existsSync(join(partial, backupNames.manifest));
  if (existsSync(partial) && !isOurs && (await readdir(partial)).length > 0) {
    throw new BackupError(
      'exists',
      `${partial} is in the way, and no backup made it. Move it, or give another name.`,
    );
  }
  await rm(partial, { recursive: true, force: true });
}

async function fill(
  folder: string,
  dataFolder: string,
  productVersion: string,
  nowMs: number,
  { progress }: BackupHooks,
): Promise<BackupManifest> {
  const copy = join(folder, backupNames.database);
  await copyDatabase(join(dataFolder, backupNames.database), copy, (fraction) =>
    progress?.('database', fraction / 2),
  );
  const content = contentOf(copy);
  const database = await digestOf(copy);
  const wanted = content.models.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const took = (bytes: number) => progress?.('models', 0.5 + (done += bytes) / wanted / 2);
  const models: { sha256: string; bytes: number }[] = [];
  const missing: string[] = [];
  for (const { sha256 } of content.models) {
    const to = join(folder, backupNames.modelFile(sha256));
    const copied = await copyWhole(join(dataFolder, backupNames.modelFile(sha256)), to, took);
    if (copied?.sha256 === sha256) models.push(copied);
    else missing.push(sha256);
    if (copied !== null && copied.sha256 !== sha256) await rm(to); // damaged: it would be of no use
  }
  const { schema, deployments, decisions } = content;
  return {
    format: 1,
    productVersion,
    takenAtMs: nowMs,
    schema,
    database,
    models,
    missing,
    deployments,
    decisions,
  };
}

/**
 * All pages as of one moment. Without the transaction around it each write of the controller would make SQLite begin the
 * copy anew, and under load it would never end. The controller's write-ahead log grows meanwhile.
 */
async function copyDatabase(from: string, to: string, progress: (fraction: number) => void): Promise<void> {
  if (!statSync(from, { throwIfNoEntry: false })?.isFile()) {
    throw new StoreError(
      'cannot-open',
      `There is no database ${from}. Give the data folder of a controller (--data).`,
    );
  }
  let source: Database | null = null;
  try {
    source = new BetterSqlite(from, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
    pendingMigrations(source, from, productMigrations()); // refuses what is not ours to read
    source.exec('BEGIN');
    source.prepare('SELECT count(*) FROM sqlite_schema').get(); // the moment
    await source.backup(to, {
      progress({ totalPages, remainingPages }) {
        if (totalPages > 0) progress(1 - remainingPages / totalPages);
        return pagesPerStep;
      },
    });
    source.exec('ROLLBACK');
  } catch (error) {
    throw storeFailure(error, from, 'copy what is');
  } finally {
    source?.close();
  }
}

/** Makes one plain file of the copy, checks it, and looks what it holds. */
function contentOf(file: string): Content {
  const db = new BetterSqlite(file, { fileMustExist: true });
  try {
    db.pragma('journal_mode = DELETE');
    const found = db.pragma('integrity_check(1)', { simple: true });
    if (found !== 'ok') {
      throw new StoreError(
        'corrupt',
        `The database is damaged (${String(found)}); there is no backup of it.`,
      );
    }
    const count = (sql: string) => db.prepare<[], { n: number }>(sql).get()!.n;
    return {
      schema: count('SELECT max(number) AS n FROM schema_migrations'),
      deployments: count('SELECT count(*) AS n FROM deployments'),
      decisions: count('SELECT count(*) AS n FROM decisions'),
      // the file of a failed import is gone
      models: db
        .prepare<[], { sha256: string; bytes: number }>(
          `SELECT sha256, max(size_bytes) AS bytes FROM models WHERE status <> 'failed' GROUP BY sha256`,
        )
        .all(),
    };
  } catch (error) {
    throw storeFailure(error, file, 'read');
  } finally {
    db.close();
  }
}
