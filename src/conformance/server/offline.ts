/** Without the edge or the controller: the safe local cut, reported when that can be. */
import type { View } from '../operator.js';
import { mustEqual } from '../outcome.js';
import { newerThan } from '../rollout.js';
import type { Scenario } from '../scenario.js';
import { computeRatio, type ServerStage } from '../serverStage.js';

function offline(
  name: string,
  promise: string,
  play: (stage: ServerStage) => Promise<void>,
): Scenario<ServerStage> {
  return { topic: 'offline', name, promise, timeLimitMs: () => 12_000, play };
}

function wrong(name: string, promise: string, fields: object, error: object): Scenario<ServerStage> {
  return {
    topic: 'offline',
    name,
    promise,
    play: async (stage) => {
      const peer = await stage.device();
      peer.send({ type: 'fallback', deploymentId: 'none', version: 1, reason: 'edge-lost', ...fields });
      await peer.inbox.expect('error', { ...error });
      await peer.fence();
    },
  };
}

/** Whether operators see the end device on its safe local cut; undefined where it is not said. */
function onFallback(view: View): boolean | undefined {
  const said = view.at('rollout', 'tiers', 'end', 'fallback');
  return said === undefined ? undefined : said !== null && said !== false;
}

export const offlineScenarios: readonly Scenario<ServerStage>[] = [
  offline('edge-lost', 'When the edge is gone, the end device is told to run everything.', async (stage) => {
    const rollout = await stage.deploy();
    const before = await rollout.settle('edge');
    rollout.edge.socket.terminate();
    await rollout.cutFor(rollout.end, 'end', { phase: 'active', version: newerThan(before) });
  }),
  offline('edge-back', 'When the edge is back, it is used again.', async (stage) => {
    const rollout = await stage.deploy();
    const before = await rollout.settle('edge');
    await rollout.edge.end();
    await rollout.cutFor(rollout.end, 'end', { phase: 'active', version: newerThan(before) });
    const hello = { role: 'edge', computeRatio: computeRatio.edge, capabilities: ['prepare'] };
    rollout.edge = await stage.device('edge', hello);
    const after = await rollout.settle('edge');
    mustEqual(after > before, true, 'the version is newer');
  }),
  offline('fallback-is-taken', 'A device that fell back says so, and operators see it.', async (stage) => {
    const rollout = await stage.deploy();
    const version = await rollout.settle('edge');
    const { end, id } = rollout;
    await end.unanswered(
      () => end.send({ type: 'fallback', deploymentId: id, version, reason: 'edge-lost' }),
      'a fallback is not answered with an error',
    );
    await rollout.until('the fallback', (view) => (onFallback(view) === true ? true : undefined));
  }),
  offline('fallback-ends', 'An ack of the version ends the fallback.', async (stage) => {
    const rollout = await stage.deploy();
    const version = await rollout.settle('edge');
    const { end, id } = rollout;
    end.send({ type: 'fallback', deploymentId: id, version, reason: 'time-to-live' });
    await rollout.until('the fallback', (view) => (onFallback(view) === true ? true : undefined));
    end.send({ type: 'ack', deploymentId: id, version });
    await rollout.until('the end of it', (view) => (onFallback(view) === false ? true : undefined));
  }),
  offline(
    'fallback-over-a-reconnect',
    'A device that comes back while it is fallen back is seen so.',
    async (stage) => {
      const rollout = await stage.deploy();
      const version = await rollout.settle('end');
      await rollout.end.end();
      const running = [{ deploymentId: rollout.id, version, fallback: true }];
      rollout.end = await stage.device('end', { computeRatio: computeRatio.end, running });
      await rollout.until('the fallback', (view) => (onFallback(view) === true ? true : undefined));
    },
  ),
  wrong(
    'fallback-reason',
    'The reason of a fallback is kebab-case.',
    { reason: 'Edge lost' },
    { code: 'invalid-field', field: 'reason' },
  ),
  wrong(
    'fallback-without-reason',
    'A fallback must say its reason.',
    { reason: undefined },
    { code: 'invalid-field', field: 'reason' },
  ),
  wrong(
    'fallback-of-unknown-deployment',
    'A fallback of a deployment that the device does not have is refused.',
    {},
    { code: 'unknown-deployment' },
  ),
];
