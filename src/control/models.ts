/**
 * The models: imported one at a time (an import measures times, and two at once would measure each other), each
 * file with the same inputs once. What was being imported when the process ended is imported again at the start.
 */
import { createHash } from 'node:crypto';
import type { ProfileOptions } from '../core/profile.js';
import { ControlError, notFound } from './controlError.js';
import {
  ImportRefused,
  type Clock,
  type Events,
  type ModelFiles,
  type ModelImporter,
  type Store,
} from './ports.js';
import type { Profiles } from './profiles.js';
import type { ModelRecord } from './records.js';
import type { ControlSettings } from './settings.js';

export interface Upload {
  /** Where the bytes are now; the file is moved from there or removed. */
  readonly file: string;
  readonly name: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly inputs: ProfileOptions['inputs'];
}

export interface ImportProgress {
  readonly stage: string;
  /** 0 to 1. */
  readonly fraction: number;
}

export interface AddedModel {
  readonly id: string;
  /** True where the same file with the same inputs was there before. */
  readonly existed: boolean;
  /** Fulfilled when the import has ended, well or not. */
  readonly done: Promise<void>;
}

interface Job {
  readonly abort: AbortController;
  readonly done: Promise<void>;
  progress: ImportProgress | null;
}

export class Models {
  readonly #records = new Map<string, ModelRecord>();
  readonly #jobs = new Map<string, Job>();
  #lastJob: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(
    private readonly ports: {
      readonly store: Store;
      readonly importer: ModelImporter;
      readonly files: ModelFiles;
      readonly events: Events;
      readonly clock: Clock;
    },
    private readonly profiles: Profiles,
    private readonly settings: ControlSettings,
    private readonly on: { readonly ready: (modelId: string) => void },
  ) {}

  load(): void {
    for (const record of this.ports.store.models()) {
      this.#records.set(record.id, record);
      this.profiles.load(record.id);
    }
    this.#tellInventory();
  }

  /** Imports again what was not finished. */
  resume(): void {
    for (const record of this.#records.values()) if (record.status === 'importing') this.#startJob(record);
  }

  list(): ModelRecord[] {
    return [...this.#records.values()];
  }

  get(id: string): ModelRecord {
    const record = this.#records.get(id);
    if (record === undefined) throw notFound('model', id);
    return record;
  }

  progress(id: string): ImportProgress | null {
    return this.#jobs.get(id)?.progress ?? null;
  }

  #checkRoom(): void {
    const { maxModels } = this.settings.limits;
    // what failed is kept for people to read, as long as nothing else needs the place
    const kept = this.list().filter((record) => record.status !== 'failed').length;
    if (kept >= maxModels) {
      this.ports.events.capHit('models', { cap: maxModels });
      throw new ControlError(
        'limit',
        'too-many-models',
        `The controller keeps at most ${maxModels} models; delete one, or raise limits.maxModels.`,
      );
    }
    const { queue } = this.settings.imports;
    if (this.#jobs.size > queue) {
      this.ports.events.capHit('importQueue', { cap: queue });
      throw new ControlError(
        'unavailable',
        'import-queue-full',
        `${this.#jobs.size} models are being imported; try again when one of them is done.`,
      );
    }
  }

  #makeRoom(): void {
    this.#checkRoom();
    if (this.#records.size < this.settings.limits.maxModels) return;
    const oldest = this.list()
      .filter((record) => record.status === 'failed')
      .reduce((a, b) => (b.createdAtMs < a.createdAtMs ? b : a));
    this.#forget(oldest.id);
  }

  /** Takes an uploaded file over. @throws ControlError `limit`, `unavailable`; StoreError */
  async add(upload: Upload): Promise<AddedModel> {
    const options: ProfileOptions = { ...this.settings.imports.options, inputs: upload.inputs };
    const id = modelId(upload.sha256, upload.inputs);
    const known = this.#records.get(id);
    if (known !== undefined && known.status !== 'failed') {
      return { id, existed: true, done: this.#jobs.get(id)?.done ?? Promise.resolve() };
    }
    if (known === undefined) this.#makeRoom();
    const record: ModelRecord = {
      id,
      name: upload.name,
      sha256: upload.sha256,
      sizeBytes: upload.sizeBytes,
      status: 'importing',
      error: null,
      graph: null,
      options,
      createdAtMs: this.ports.clock.nowMs(),
    };
    this.#records.set(id, record); // before the first await: the same file sent twice at once is one import
    const accepted = this.#accept(record, upload.file, known);
    const job = this.#startJob(record, accepted);
    await accepted;
    this.#tellInventory();
    return { id, existed: false, done: job.done };
  }

  /** The caller has made sure that no deployment uses it. Stops an import under way. */
  async remove(id: string): Promise<void> {
    const record = this.get(id);
    const job = this.#jobs.get(id);
    job?.abort.abort();
    await job?.done;
    if (this.#records.get(id) === undefined) return;
    this.#forget(id);
    await this.#removeFile(record.sha256);
  }

  #forget(id: string): void {
    this.ports.store.deleteModel(id);
    this.#records.delete(id);
    this.profiles.forgetModel(id);
    this.ports.events.modelRemoved(id);
    this.#tellInventory();
  }

  /** A file goes with the last model that needs it. */
  async #removeFile(sha256: string): Promise<void> {
    const needed = this.list().some((record) => record.sha256 === sha256 && record.status !== 'failed');
    if (needed) return;
    try {
      await this.ports.files.remove(sha256);
    } catch (error) {
      // the file takes place and harms nobody
      this.ports.events.storeFailed({ operation: 'remove model file', error });
    }
  }

  /** Stops what is being imported; it stays `importing` in the store and goes on at the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const job of this.#jobs.values()) job.abort.abort();
    await this.#lastJob;
  }

  /** From here on the upload survives a crash. */
  async #accept(record: ModelRecord, file: string, before: ModelRecord | undefined): Promise<void> {
    try {
      await this.ports.files.keep(file, record.sha256);
      this.ports.store.saveModel(record);
    } catch (error) {
      if (before === undefined) this.#records.delete(record.id);
      else this.#records.set(record.id, before);
      throw error;
    }
  }

  #startJob(record: ModelRecord, accepted: Promise<void> = Promise.resolve()): Job {
    const abort = new AbortController();
    const previous = this.#lastJob;
    const run = async () => {
      const wasAccepted = await accepted.then(
        () => true,
        () => false, // whoever uploaded it is told by their own await
      );
      await previous;
      if (wasAccepted && !abort.signal.aborted) await this.#runJob(record, abort.signal);
      this.#jobs.delete(record.id);
    };
    const job: Job = { abort, done: run(), progress: null };
    this.#jobs.set(record.id, job);
    this.#lastJob = job.done;
    return job;
  }

  async #runJob(record: ModelRecord, signal: AbortSignal): Promise<void> {
    const startedAt = this.ports.clock.monotonicNanoseconds();
    try {
      await this.#import(record, signal);
      this.#tellDone(record, 'ready', startedAt);
    } catch (error) {
      if (signal.aborted || this.#stopped) return;
      const refused = error instanceof ImportRefused;
      const message = error instanceof Error ? error.message : String(error);
      const code = refused ? error.code : 'import-failed';
      this.#fail({ ...record, status: 'failed', error: { code, message } });
      this.#tellDone(record, refused ? 'refused' : 'failed', startedAt, message);
      await this.#removeFile(record.sha256);
      return;
    }
    this.on.ready(record.id);
  }

  async #import(record: ModelRecord, signal: AbortSignal): Promise<void> {
    const file = await this.ports.files.find(record.sha256);
    if (file === null) throw new ImportRefused('file-gone', 'The uploaded file is gone; upload it again.');
    signal.throwIfAborted();
    const result = await this.ports.importer.import(file, record.options, {
      signal,
      progress: (stage, fraction) => {
        const job = this.#jobs.get(record.id);
        if (job !== undefined) job.progress = { stage, fraction };
      },
    });
    const ready: ModelRecord = { ...record, status: 'ready', graph: { ...result.graph, name: record.name } };
    this.profiles.imported(ready, result.profile);
    this.#records.set(record.id, ready);
  }

  #fail(failed: ModelRecord): void {
    this.#records.set(failed.id, failed);
    try {
      this.ports.store.saveModel(failed);
    } catch (error) {
      // it is tried again at the next start, since the store still says `importing`
      this.ports.events.storeFailed({ operation: 'save failed model', error });
    }
  }

  #tellDone(
    record: ModelRecord,
    outcome: 'ready' | 'refused' | 'failed',
    startedAt: bigint,
    message?: string,
  ): void {
    const seconds = Number(this.ports.clock.monotonicNanoseconds() - startedAt) / 1e9;
    this.ports.events.importDone({ modelId: record.id, name: record.name, outcome, seconds, message });
  }

  #tellInventory(): void {
    this.ports.events.inventory({ models: this.#records.size });
  }
}

/** The same bytes with the same input shapes are the same model, whoever uploads them and when. */
export function modelId(sha256: string, inputs: ProfileOptions['inputs']): string {
  const canonical = Object.keys(inputs)
    .sort()
    .map((name) => [name, inputs[name]!.shape, inputs[name]!.fill ?? null]);
  return createHash('sha256').update(sha256).update(JSON.stringify(canonical)).digest('hex').slice(0, 16);
}
