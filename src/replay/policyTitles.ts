/** What the policies are called in tables and charts. */
import type { PolicyName } from '../core/replay/comparison.js';

export const policyTitles: Readonly<Record<PolicyName, string>> = {
  default: 'Cutpoint',
  follow: 'follow unless nearly equal',
  recut: 're-cut every second',
  dads: 'DADS every second',
  neurosurgeon: 'Neurosurgeon every second',
  'device-only': 'device-only',
  'edge-only': 'edge-only',
  'best-static': 'best static (hindsight)',
  clairvoyant: 'clairvoyant (hindsight)',
};
