/** What the importer and its process say to one another. */
import type { ImportResult } from '../control/ports.js';
import type { ProfileOptions } from '../core/profile.js';
import type { ImportLimits } from './limits.js';

export interface ImportJob {
  readonly file: string;
  readonly options: ProfileOptions;
  readonly limits: ImportLimits;
}

export type ImportReply =
  | { readonly kind: 'progress'; readonly stage: string; readonly fraction: number }
  | { readonly kind: 'done'; readonly result: ImportResult }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };
