import type { ProfileOptions } from '../../../src/core/profile.js';

export interface ImportRequest {
  readonly file: string;
  readonly inputs: ProfileOptions['inputs'];
}

/** Seconds of processor time by stage of the import, in the order in which they ran. */
export type StageSeconds = readonly (readonly [stage: string, seconds: number])[];

export interface ImportAnswer {
  readonly outcome: 'imported' | 'refused' | 'failed';
  /** Code of the refusal, or the stack of what must not happen. */
  readonly detail: string;
  readonly stages: StageSeconds;
  readonly residentBytes: number;
}
