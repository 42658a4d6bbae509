import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContextNumbers } from '../../src/control/contextNumbers.js';
import {
  deploymentContext,
  slowdownOf,
  withCloud,
  type DeviceView,
} from '../../src/control/deploymentContext.js';
import type { Context } from '../../src/core/context.js';
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

  it('has a third tier behind the edge: its link is what the edge measures, its queue what the cloud says', () => {
    const link = { uplinkBitsPerSecond: 8e6, downlinkBitsPerSecond: 4e6, rttSeconds: 0.01 };
    const cloud: DeviceView = {
      description: { role: 'cloud' },
      telemetry: { queueLength: 3, slowdown: 2, freeMemoryBytes: 9 },
      connected: true,
    };
    const below = edge(link);
    const two = deploymentContext({}, end(null), below, 5, null);
    const three = withCloud(two, below, cloud, 0.1, null);
    assert.deepEqual(three.tiers, [{}, {}, { slowdown: 2, freeMemoryBytes: 9 }]);
    assert.deepEqual(three.hops, [
      { connected: true },
      { ...link, connected: true, queueSeconds: 3 * 0.1 * 2 },
    ]);
    const corrected = withCloud(two, below, cloud, 0.1, { edgeUplink: 2, edgeDownlink: 4, cloud: 3 });
    const [, hop] = corrected.hops;
    assert.deepEqual([hop!.uplinkBitsPerSecond, hop!.downlinkBitsPerSecond], [4e6, 1e6]);
    assert.equal(hop!.queueSeconds, 3 * (0.1 * 3) * 2);
    assert.equal(corrected.tiers[2]!.slowdown, 6);
    assert.equal(withCloud(two, below, { ...cloud, connected: false }, 1, null).hops[1]!.connected, false);
    const sameContext = (a: Context, b: Context): boolean => {
      const numbers = new ContextNumbers();
      numbers.take(a);
      return numbers.holds(b);
    };
    assert.ok(sameContext(three, withCloud(two, below, cloud, 0.1, null)));
    assert.ok(!sameContext(three, withCloud(two, edge(null), cloud, 0.1, null)), 'another link');
    assert.ok(!sameContext(three, withCloud(two, below, { ...cloud, telemetry: null }, 0.1, null)));
    assert.ok(!sameContext(three, two) && !sameContext(two, three));
  });

  it('makes a slowdown of the load unless one was measured', () => {
    assert.equal(slowdownOf({ cpuLoad: 0.75 }), 4);
    assert.equal(slowdownOf({ cpuLoad: 0.75, slowdown: 1.2 }), 1.2);
    assert.equal(slowdownOf({}), undefined);
  });
});
