/** Deployments with a third tier behind the edge. */
import { CloudRollout } from '../cloudRollout.js';
import { must, mustEqual } from '../outcome.js';
import { newerThan } from '../rollout.js';
import type { Scenario, Topic } from '../scenario.js';
import type { ServerStage } from '../serverStage.js';

function cloud(
  topic: Topic,
  name: string,
  promise: string,
  play: (stage: ServerStage) => Promise<void>,
): Scenario<ServerStage> {
  return { topic, name, promise, timeLimitMs: () => 12_000, play };
}

export const cloudScenarios: readonly Scenario<ServerStage>[] = [
  cloud(
    'cut',
    'three-tiers',
    'With a cloud behind a slow edge and quick links, all tiers are told the same cut, each its own part.',
    async (stage) => {
      const rollout = await stage.deployWithCloud();
      const version = await rollout.settleInCloud();
      const cuts = rollout.tiers.map((peer) => CloudRollout.lastCut(peer, version));
      mustEqual(
        cuts.map((cut) => cut['tier']),
        ['end', 'edge', 'cloud'],
        'tiers',
      );
      for (const field of ['endLayers', 'edgeLayers', 'tensors', 'edgeTensors', 'layerCount', 'model'])
        for (const cut of cuts) mustEqual(cut[field], cuts[0]![field], field);
      const { tensors, edgeTensors } = cuts[0]!;
      must(Array.isArray(tensors) && tensors.length > 0, 'nothing leaves the end device');
      mustEqual(edgeTensors, tensors, 'an edge without layers passes on what it gets');
    },
  ),
  cloud(
    'two-phases',
    'waits-for-the-cloud',
    'While a cloud that the cut needs is not prepared, nobody is told to switch.',
    async (stage) => {
      const rollout = await stage.deployWithCloud();
      await rollout.settle('end');
      for (const peer of rollout.tiers) peer.resist();
      const { end, edge, cloud: above, id } = rollout;
      const { version } = await rollout.cutForCloud(above, { phase: 'prepare' });
      for (const peer of [end, edge]) peer.send({ type: 'prepared', deploymentId: id, version });
      await end.inbox.expectNone('cut', { phase: 'active', version }, 400, 'the cloud is not prepared');
      above.send({ type: 'prepared', deploymentId: id, version });
      for (const { inbox } of rollout.tiers) await inbox.expect('cut', { phase: 'active', version });
    },
  ),
  cloud(
    'offline',
    'cloud-lost',
    'When the cloud is gone, its layers go to the tiers that are left, and edge and end device go on.',
    async (stage) => {
      const rollout = await stage.deployWithCloud();
      const before = await rollout.settleInCloud();
      rollout.cloud.socket.terminate();
      const isRest = (value: unknown): boolean => Array.isArray(value) && value.length > 0;
      const back = rollout.edge.inbox.expect('cut', {
        deploymentId: rollout.id,
        version: newerThan(before),
        edgeTensors: [],
        edgeLayers: isRest,
      });
      await rollout.reachingCloud(back);
      await rollout.until('what end device and edge run', (view) =>
        view.at('rollout', 'phase') === 'active' && view.at('reported', 'edge') === view.at('version')
          ? true
          : undefined,
      );
    },
  ),
  cloud(
    'measurement',
    'of-the-cloud',
    'The edge may measure the link to the cloud, and the cloud, and is not answered.',
    async (stage) => {
      const rollout = await stage.deployWithCloud();
      const version = await rollout.settleInCloud();
      const { edge, id: deploymentId } = rollout;
      const seconds = { edgeUplinkSeconds: 0.001, cloudSeconds: 0.002, edgeDownlinkSeconds: 0.001 };
      await edge.unanswered(
        () => edge.send({ type: 'measurement', deploymentId, version, count: 3, ...seconds }),
        'a measurement that is right is not answered',
      );
    },
  ),
];
