/** Cuts: a state that both tiers are brought to, the newest only. */
import type { Message } from '../inbox.js';
import { must, mustEqual, show } from '../outcome.js';
import type { Scenario } from '../scenario.js';
import type { ServerStage } from '../serverStage.js';

function cut(
  name: string,
  promise: string,
  play: (stage: ServerStage) => Promise<void>,
): Scenario<ServerStage> {
  return { topic: 'cut', name, promise, timeLimitMs: () => 10_000, play };
}

/** The last cut of a version that a device was sent. */
function lastOf(messages: readonly Message[], version: number): Message {
  const found = messages.filter((m) => m.type === 'cut' && m['version'] === version).at(-1);
  must(found !== undefined, `no cut of version ${version} was sent`);
  return found;
}

export const cutScenarios: readonly Scenario<ServerStage>[] = [
  cut('first', 'Before anything is known of the link, all layers run on the end device.', async (stage) => {
    const rollout = (await stage.deploy()).obey();
    const first = await rollout.end.inbox.expect('cut', { deploymentId: rollout.id });
    mustEqual([first['phase'], first['tier']], ['active', 'end'], 'phase and tier');
    mustEqual((first['endLayers'] as unknown[]).length, first['layerCount'], 'layers on the end device');
  }),
  cut(
    'moves-with-the-link',
    'A quicker link moves layers off the end device, a slower one back.',
    async (stage) => {
      const rollout = await stage.deploy();
      await rollout.settle('edge');
      await rollout.settle('end');
    },
  ),
  cut(
    'agreed-by-both',
    'Both tiers are told the same cut under the same version, each its own half.',
    async (stage) => {
      const rollout = await stage.deploy();
      const version = await rollout.settle('split');
      const [end, edge] = [rollout.end, rollout.edge].map(({ inbox }) => lastOf(inbox.messages, version));
      mustEqual([end!['tier'], edge!['tier']], ['end', 'edge'], 'tiers');
      for (const field of ['endLayers', 'layerCount', 'tensors', 'model'])
        mustEqual(end![field], edge![field], field);
    },
  ),
  cut(
    'names-what-crosses',
    'A cut that uses the edge names the tensors that cross, with type, shape and bytes.',
    async (stage) => {
      const rollout = await stage.deploy();
      const version = await rollout.settle('split');
      const { tensors } = lastOf(rollout.end.inbox.messages, version);
      must(Array.isArray(tensors) && tensors.length > 0, 'no tensor crosses');
      for (const tensor of tensors as { shape: number[]; bytes: number }[]) {
        const elements = tensor.shape.reduce((product, extent) => product * extent, 1);
        mustEqual(tensor.bytes, elements * 4, `bytes of a float32 tensor ${show(tensor.shape)}`);
      }
    },
  ),
  cut('crosses-nothing', 'With all layers on the end device nothing crosses.', async (stage) => {
    const rollout = await stage.deploy();
    const version = await rollout.settle('end');
    const last = lastOf(rollout.end.inbox.messages, version);
    mustEqual(last['tensors'], [], 'tensors');
    mustEqual((last['endLayers'] as unknown[]).length, last['layerCount'], 'layers on the end device');
  }),
  cut('layers-ascend', 'endLayers are numbers of layers, ascending, each once.', async (stage) => {
    const rollout = await stage.deploy();
    const version = await rollout.settle('split');
    const { endLayers, layerCount } = lastOf(rollout.end.inbox.messages, version);
    const layers = endLayers as number[];
    must(
      layers.every((layer, i) => layer > (layers[i - 1] ?? -1) && layer < Number(layerCount)),
      `endLayers are ${show(layers)} of ${show(layerCount)}`,
    );
  }),
  cut(
    'superseded',
    'A newer version supersedes: a late answer to the older one changes nothing.',
    async (stage) => {
      const rollout = await stage.deploy();
      await rollout.settle('end');
      const { end, edge } = rollout.resist();
      const { version: older } = await rollout.cutFor(end, 'split', { phase: 'prepare' });
      const { version: newer } = await rollout.cutFor(end, 'edge', { phase: 'prepare' });
      must(Number(newer) > Number(older), `the newer version is ${show(newer)} after ${show(older)}`);
      for (const peer of [end, edge]) {
        await peer.unanswered(
          () => peer.send({ type: 'prepared', deploymentId: rollout.id, version: older }),
          'a late answer is no error',
        );
      }
      await end.inbox.expectNone('cut', { phase: 'active' }, 300, 'a superseded version is never activated');
      for (const peer of [end, edge])
        peer.send({ type: 'prepared', deploymentId: rollout.id, version: newer });
      await end.inbox.expect('cut', { phase: 'active', version: newer });
    },
  ),
  cut(
    'desired-and-reported',
    'Operators see the desired version and what each tier reported.',
    async (stage) => {
      const rollout = await stage.deploy();
      const version = await rollout.settle('edge');
      const view = await rollout.view();
      mustEqual(view.at('version'), version, 'the desired version');
      mustEqual(view.at('reported'), { end: version, edge: version }, 'reported versions');
    },
  ),
  cut('not-reported-before', 'Nothing counts as reported that nobody acknowledged.', async (stage) => {
    const rollout = await stage.deploy();
    const before = await rollout.settle('end');
    rollout.resist();
    const { version } = await rollout.cutFor(rollout.end, 'edge');
    const view = await rollout.view();
    mustEqual(view.at('version'), version, 'the desired version');
    mustEqual(view.at('reported', 'end'), before, 'the version that the end device reported');
  }),
  cut('removed', 'When a deployment is deleted, both its devices are told.', async (stage) => {
    const rollout = await stage.deploy();
    await rollout.settle('edge');
    await stage.operator.call('DELETE', `/v1/deployments/${rollout.id}`);
    for (const { inbox } of [rollout.end, rollout.edge])
      await inbox.expect('removed', { deploymentId: rollout.id });
  }),
  cut(
    'nothing-after-removed',
    'After that nothing more is said of it, and answers are errors.',
    async (stage) => {
      const rollout = await stage.deploy();
      const version = await rollout.settle('edge');
      await stage.operator.call('DELETE', `/v1/deployments/${rollout.id}`);
      const { end } = rollout;
      await end.inbox.expect('removed', { deploymentId: rollout.id });
      rollout.tell('end');
      end.send({ type: 'ack', deploymentId: rollout.id, version });
      await end.inbox.expect('error', { code: 'unknown-deployment', field: 'deploymentId' });
      await end.inbox.expectNone('cut', { deploymentId: rollout.id }, 200, 'the deployment is gone');
    },
  ),
  cut(
    'time-to-live',
    'Each cut says how long it holds without a sign of life, more than three heartbeats.',
    async (stage) => {
      const rollout = (await stage.deploy()).obey();
      const { timeToLiveMs } = await rollout.end.inbox.expect('cut');
      must(
        typeof timeToLiveMs === 'number' && timeToLiveMs > 3 * stage.heartbeatMs,
        `timeToLiveMs is ${show(timeToLiveMs)} at a heartbeat of ${stage.heartbeatMs} ms`,
      );
    },
  ),
];
