/** Coming back: a device says what it runs, and is told that this is current, or the latest only. */
import { must, mustEqual, show } from '../outcome.js';
import type { Peer } from '../peer.js';
import type { Rollout } from '../rollout.js';
import type { Scenario } from '../scenario.js';
import { computeRatio, type ServerStage } from '../serverStage.js';

function resume(
  name: string,
  promise: string,
  play: (stage: ServerStage) => Promise<void>,
): Scenario<ServerStage> {
  return { topic: 'resume', name, promise, timeLimitMs: () => 10_000, play };
}

/** The end device, again, with what it says it runs. */
async function back(stage: ServerStage, rollout: Rollout, running: readonly object[]): Promise<Peer> {
  await rollout.end.end();
  const hello = { computeRatio: computeRatio.end, capabilities: ['prepare'], running };
  rollout.end = await stage.device('end', hello);
  return rollout.end;
}

export const resumeScenarios: readonly Scenario<ServerStage>[] = [
  resume('current', 'Who runs the desired version is told so, and gets no cut.', async (stage) => {
    const rollout = await stage.deploy();
    const version = await rollout.settle('end');
    const { inbox } = await back(stage, rollout, [{ deploymentId: rollout.id, version }]);
    await inbox.expect('current', { deploymentId: rollout.id, version });
    mustEqual(
      inbox.messages.filter(({ type }) => type === 'cut'),
      [],
      'cuts after a resume',
    );
  }),
  resume('nothing-runs', 'Who runs nothing gets the latest cut.', async (stage) => {
    const rollout = await stage.deploy();
    const version = await rollout.settle('end');
    const { inbox } = await back(stage, rollout, []);
    const cut = await inbox.expect('cut', { deploymentId: rollout.id });
    must(Number(cut['version']) >= version, `version ${show(cut['version'])} after ${version}`);
  }),
  resume(
    'latest-only',
    'Who runs an old version gets the latest only, not what was between.',
    async (stage) => {
      const rollout = await stage.deploy();
      const first = await rollout.settle('end');
      await rollout.settle('edge');
      const last = await rollout.settle('end');
      const { inbox } = await back(stage, rollout, [{ deploymentId: rollout.id, version: first }]);
      await inbox.expect('cut', { deploymentId: rollout.id });
      await rollout.end.fence();
      const versions = inbox.messages.filter(({ type }) => type === 'cut').map((m) => Number(m['version']));
      must(
        versions.every((version) => version >= last),
        `versions ${show(versions)}, the latest is ${last}`,
      );
    },
  ),
  resume('never-sent', 'A version that was never sent is not current.', async (stage) => {
    const rollout = await stage.deploy();
    const version = await rollout.settle('end');
    const { inbox } = await back(stage, rollout, [{ deploymentId: rollout.id, version: version + 1_000 }]);
    await inbox.expect('cut', { deploymentId: rollout.id });
    mustEqual(
      inbox.messages.filter(({ type }) => type === 'current'),
      [],
      'what is current',
    );
  }),
  resume('deleted-meanwhile', 'A deployment that was deleted meanwhile is removed.', async (stage) => {
    const rollout = await stage.deploy();
    const version = await rollout.settle('end');
    await rollout.end.end();
    await stage.operator.call('DELETE', `/v1/deployments/${rollout.id}`);
    const { inbox } = await back(stage, rollout, [{ deploymentId: rollout.id, version }]);
    await inbox.expect('removed', { deploymentId: rollout.id });
  }),
  {
    topic: 'resume',
    name: 'never-had',
    promise: 'A deployment that the device never had is removed.',
    play: async (stage) => {
      const peer = await stage.device('device', { running: [{ deploymentId: 'none', version: 3 }] });
      await peer.inbox.expect('removed', { deploymentId: 'none' });
    },
  },
  resume('counts-as-report', 'What runs counts as reported, without an ack.', async (stage) => {
    const rollout = (await stage.deploy()).resist();
    const { version } = await rollout.end.inbox.expect('cut', { deploymentId: rollout.id });
    await back(stage, rollout, [{ deploymentId: rollout.id, version }]);
    const seen = await rollout.until('the report', (view) =>
      view.at('reported', 'end') === version ? version : undefined,
    );
    mustEqual(seen, version, 'the version that the end device runs');
  }),
  resume(
    'half-prepared',
    'Who comes back in the middle of a rollout is told to prepare again.',
    async (stage) => {
      const rollout = await stage.deploy();
      await rollout.settle('end');
      const { edge } = rollout.resist();
      const { version } = await rollout.cutFor(edge, 'edge', { phase: 'prepare' });
      await edge.end();
      rollout.edge = await stage.device('edge', {
        role: 'edge',
        computeRatio: computeRatio.edge,
        capabilities: ['prepare'],
      });
      await rollout.cutFor(rollout.edge, 'edge', {
        phase: 'prepare',
        version: (v: unknown) => Number(v) >= Number(version),
      });
      const active = rollout.edge.inbox.messages.filter(
        (m) => m.type === 'cut' && m['phase'] === 'active' && m['tier'] === 'edge',
      );
      must(
        active.every((m) => (m['tensors'] as unknown[]).length === 0),
        'it was told to switch without having prepared',
      );
    },
  ),
];
