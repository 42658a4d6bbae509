/** Measurements of the data plane: checked like telemetry, and they correct what is predicted. */
import { must } from '../outcome.js';
import type { Scenario } from '../scenario.js';
import type { ServerStage } from '../serverStage.js';

const right = {
  type: 'measurement',
  deploymentId: 'none',
  version: 1,
  count: 10,
  endSeconds: 0.01,
  latencySeconds: 0.02,
};

function wrong(name: string, promise: string, fields: object, error: object): Scenario<ServerStage> {
  return {
    topic: 'measurement',
    name,
    promise,
    play: async (stage) => {
      const peer = await stage.device();
      peer.send({ ...right, ...fields });
      await peer.inbox.expect('error', { ...error });
      await peer.fence();
    },
  };
}

const invalid = (field: string): object => ({ code: 'invalid-field', field });

export const measurementScenarios: readonly Scenario<ServerStage>[] = [
  wrong(
    'negative',
    'Negative seconds are refused by their field.',
    { endSeconds: -1 },
    invalid('endSeconds'),
  ),
  wrong(
    'zero',
    'Zero seconds are refused: a stage that was not measured is absent.',
    { uplinkSeconds: 0 },
    invalid('uplinkSeconds'),
  ),
  wrong('too-long', 'More than a day is refused.', { latencySeconds: 86_401 }, invalid('latencySeconds')),
  wrong('no-count', 'How many inferences it is about must be said.', { count: undefined }, invalid('count')),
  wrong('count-of-none', 'A count of 0 is refused.', { count: 0 }, invalid('count')),
  wrong(
    'nothing-measured',
    'One stage at least must be measured.',
    { endSeconds: undefined, latencySeconds: undefined },
    { code: 'invalid-field' },
  ),
  wrong(
    'unknown-field',
    'An unknown stage is refused by its name.',
    { queueSeconds: 1 },
    invalid('queueSeconds'),
  ),
  wrong(
    'unknown-deployment',
    'A deployment that the device does not have gets unknown-deployment.',
    {},
    { code: 'unknown-deployment' },
  ),
  {
    topic: 'measurement',
    name: 'taken',
    promise: 'A measurement of the version that runs is taken, without an answer.',
    timeLimitMs: () => 10_000,
    play: async (stage) => {
      const rollout = await stage.deploy();
      const version = await rollout.settle('edge');
      const { end, id } = rollout;
      const seconds = {
        uplinkSeconds: 0.001,
        edgeSeconds: 0.01,
        downlinkSeconds: 0.001,
        latencySeconds: 0.012,
      };
      await end.unanswered(
        () => end.send({ type: 'measurement', deploymentId: id, version, count: 30, ...seconds }),
        'a measurement that is right is not answered',
      );
    },
  },
  {
    topic: 'measurement',
    name: 'unknown-version',
    promise: 'A measurement of a version that was never sent gets unknown-version.',
    timeLimitMs: () => 10_000,
    play: async (stage) => {
      const rollout = await stage.deploy();
      const version = (await rollout.settle('end')) + 1_000;
      rollout.end.send({ ...right, deploymentId: rollout.id, version });
      await rollout.end.inbox.expect('error', { code: 'unknown-version', field: 'version' });
    },
  },
  {
    topic: 'measurement',
    name: 'corrects',
    promise: 'Layers that are measured slower than predicted make the next prediction longer.',
    timeLimitMs: () => 10_000,
    play: async (stage) => {
      const rollout = await stage.deploy();
      const version = await rollout.settle('end');
      const path = `/v1/deployments/${rollout.id}/cut`;
      const predicted = async (): Promise<number> =>
        Number((await stage.operator.call('GET', path)).view.at('prediction', 'latencySeconds'));
      const before = await predicted();
      must(before > 0, `nothing is predicted: ${before}`);
      const endMs = performance.now() + 5_000;
      const { end, id } = rollout;
      while ((await predicted()) < before * 1.5) {
        must(
          performance.now() < endMs,
          `after 5 s of measurements 3 times longer the prediction is ${await predicted()} s, it was ${before} s`,
        );
        end.send({ type: 'measurement', deploymentId: id, version, count: 30, endSeconds: before * 3 });
        rollout.tell('end');
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
  },
];
