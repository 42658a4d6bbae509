import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deploymentContext, slowdownOf, type DeviceView } from '../../src/control/deploymentContext.js';
import type { Telemetry } from '../../src/control/records.js';

const power = { computeWatts: 4, transmitWatts: 2, receiveWatts: 1, idleWatts: 0.5 };

function end(telemetry: Telemetry | null, more: object = {}): DeviceView {
  return { description: { role: 'end', ...more }, telemetry, connected: true };
}
function edge(telemetry: Telemetry | null, connected = true): DeviceView {
  return { description: { role: 'edge' }, telemetry, connected };
}

describe('the context of a deployment', () => {
  it('has no field for what nobody measured', () => {
    assert.deepEqual(deploymentContext({}, end(null), edge(null), 1, null), {
      tiers: [{}, {}],
      hops: [{ connected: true }],
      requirements: {},
    });
  });

  it('takes the link from the end device and the queue from the edge', () => {
    const link = { uplinkBitsPerSecond: 1e6, downlinkBitsPerSecond: 2e6, rttSeconds: 0.05 };
    const queue = { queueLength: 3, meanServiceSeconds: 0.2, uplinkBitsPerSecond: 9, freeMemoryBytes: 7 };
    const context = deploymentContext({ latencySeconds: 1 }, end(link), edge(queue), 5, null);
    assert.deepEqual(context.hops, [{ ...link, queueSeconds: 3 * 0.2, connected: true }]);
    assert.deepEqual(context.tiers, [{}, { freeMemoryBytes: 7 }]);
    assert.deepEqual(context.requirements, { latencySeconds: 1 });
  });

  it('counts a queue in whole models at the present speed where the edge states no service time', () => {
    const context = deploymentContext({}, end(null), edge({ queueLength: 2, slowdown: 3 }), 0.5, null);
    assert.equal(context.hops[0]!.queueSeconds, 2 * 0.5 * 3);
  });

  it('needs level and capacity for a battery', () => {
    const battery = { level: 0.4, charging: false };
    assert.equal(deploymentContext({}, end({ battery }), edge(null), 1, null).battery, undefined);
    const known = end({ battery }, { batteryCapacityJoules: 100, power });
    const context = deploymentContext({}, known, edge(null), 1, null);
    assert.deepEqual(context.battery, { level: 0.4, capacityJoules: 100, charging: false });
    assert.deepEqual(context.power, power);
  });

  it('knows that the edge is away', () => {
    assert.equal(deploymentContext({}, end(null), edge(null, false), 1, null).hops[0]!.connected, false);
  });

  it('is corrected by measured times, also where a device reports no slowdown', () => {
    const corrections = { end: 1.5, uplink: 4, downlink: 0.5, edge: 2 };
    const link = { uplinkBitsPerSecond: 8e6, downlinkBitsPerSecond: 2e6, slowdown: 2 };
    const context = deploymentContext({}, end(link), edge({ queueLength: 2 }), 0.1, corrections);
    assert.deepEqual(context.tiers, [{ slowdown: 3 }, { slowdown: 2 }]);
    const [hop] = context.hops;
    assert.deepEqual([hop!.uplinkBitsPerSecond, hop!.downlinkBitsPerSecond], [2e6, 4e6]);
    assert.equal(hop!.queueSeconds, 2 * 0.1 * 2);
  });

  it('makes a slowdown of the load unless one was measured', () => {
    assert.equal(slowdownOf({ cpuLoad: 0.75 }), 4);
    assert.equal(slowdownOf({ cpuLoad: 0.75, slowdown: 1.2 }), 1.2);
    assert.equal(slowdownOf({}), undefined);
  });
});
