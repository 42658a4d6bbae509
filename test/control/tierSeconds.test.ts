import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DeviceDescription, ProfileRecord, TierBinding } from '../../src/control/records.js';
import { resolveTierSeconds } from '../../src/control/tierSeconds.js';
import { smallProfile } from '../support/smallModel.js';

const options = {
  optimizationLevel: 'extended',
  intraOpThreads: 1,
  runs: 1,
  warmupRuns: 0,
  inputs: {},
} as const;
const profile = (id: string, origin: 'import' | 'upload', machineId: string): ProfileRecord => ({
  id,
  modelId: 'm',
  origin,
  profile: smallProfile('00', options, machineId),
  createdAtMs: 1,
});
const profiles = [profile('own', 'import', 'controller'), profile('pi', 'upload', 'pi')];

function source(binding: Partial<TierBinding>, description: Partial<DeviceDescription> | null) {
  const device = description === null ? null : { role: 'end' as const, ...description };
  const resolved = resolveTierSeconds('end', { deviceId: 'd', ...binding }, device, profiles);
  return resolved.kind === 'known' ? resolved.source : resolved.missing;
}

describe('the seconds of a tier', () => {
  it('come from the profile that the deployment names, before all else', () => {
    const all = { profileId: 'pi', computeRatio: 2 };
    assert.deepEqual(source(all, { machineId: 'controller', computeRatio: 3 }), {
      kind: 'measured',
      machineId: 'pi',
    });
  });
  it('then from a profile of the machine that the device is', () => {
    assert.deepEqual(source({ computeRatio: 2 }, { machineId: 'pi', computeRatio: 3 }), {
      kind: 'measured',
      machineId: 'pi',
    });
  });
  it('then from the ratio of the deployment, then from that of the device', () => {
    const scaled = (computeRatio: number) => ({ kind: 'scaled', machineId: 'controller', computeRatio });
    assert.deepEqual(source({ computeRatio: 2 }, { machineId: 'other', computeRatio: 3 }), scaled(2));
    assert.deepEqual(source({}, { computeRatio: 3 }), scaled(3));
    assert.deepEqual(source({ computeRatio: 2 }, null), scaled(2));
  });
  it('are not assumed', () => {
    assert.match(JSON.stringify(source({}, null)), /has not connected yet/);
    assert.match(JSON.stringify(source({}, {})), /speed of device d is not known/);
    assert.match(JSON.stringify(source({ profileId: 'gone' }, {})), /end.profileId gone is no profile/);
    assert.match(JSON.stringify(source({ computeRatio: 2 }, { role: 'edge' })), /says that its role is edge/);
  });
});
