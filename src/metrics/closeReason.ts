/** Close codes as label values: few, whatever a client sends. */
import { closes, transportCloses } from '../protocol/closeCodes.js';

const names = new Map<number, string>([
  ...Object.entries({ ...closes, ...transportCloses }).map(([name, { code }]) => [code, name] as const),
  [1000, 'device-closed'],
  [1001, 'device-closed'],
  [1005, 'device-closed'],
]);

export function closeReason(code: number): string {
  return names.get(code) ?? 'other';
}

export const closeReasons: readonly string[] = [...new Set([...names.values(), 'other'])];
