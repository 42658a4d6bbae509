import { formatSeconds } from '../../src/format.js';

export function costLabel(switchSeconds: number): string {
  return switchSeconds === 0 ? 'free' : formatSeconds(switchSeconds);
}
