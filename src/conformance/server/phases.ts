/** Two phases: every tier is ready before any tier switches, and the cut before serves until then. */
import { must, mustEqual } from '../outcome.js';
import type { Rollout } from '../rollout.js';
import type { Scenario } from '../scenario.js';
import type { ServerStage } from '../serverStage.js';

function phases(
  name: string,
  promise: string,
  play: (stage: ServerStage) => Promise<void>,
): Scenario<ServerStage> {
  return { topic: 'two-phases', name, promise, timeLimitMs: () => 10_000, play };
}

const unable = { capabilities: [] };

/** A deployment that settled on the end device, and then was sent a cut to prepare. */
async function preparing(stage: ServerStage): Promise<{ rollout: Rollout; version: number; before: number }> {
  const rollout = await stage.deploy();
  const before = await rollout.settle('end');
  const { end, edge } = rollout.resist();
  const { version } = await rollout.cutFor(end, 'edge', { phase: 'prepare' });
  await edge.inbox.expect('cut', { phase: 'prepare', version });
  return { rollout, version: Number(version), before };
}

export const phaseScenarios: readonly Scenario<ServerStage>[] = [
  phases('prepare-first', 'Both tiers are first told to prepare.', async (stage) => {
    const { rollout, version } = await preparing(stage);
    for (const { inbox } of [rollout.end, rollout.edge]) {
      const phase = inbox.messages.find((m) => m.type === 'cut' && m['version'] === version)?.['phase'];
      mustEqual(phase, 'prepare', 'the first phase of a version');
    }
  }),
  phases('waits-for-the-edge', 'While the edge is not prepared, nobody is told to switch.', async (stage) => {
    const { rollout, version } = await preparing(stage);
    const { end, edge, id } = rollout;
    end.send({ type: 'prepared', deploymentId: id, version });
    await end.inbox.expectNone('cut', { phase: 'active' }, 400, 'the edge is not prepared');
    mustEqual(edge.inbox.ahead('cut', { phase: 'active' }), [], 'active cuts at the edge');
    edge.send({ type: 'prepared', deploymentId: id, version });
    for (const { inbox } of [end, edge]) await inbox.expect('cut', { phase: 'active', version });
  }),
  phases(
    'waits-for-the-end',
    'While the end device is not prepared, nobody is told to switch.',
    async (stage) => {
      const { rollout, version } = await preparing(stage);
      const { end, edge, id } = rollout;
      edge.send({ type: 'prepared', deploymentId: id, version });
      await edge.inbox.expectNone('cut', { phase: 'active' }, 400, 'the end device is not prepared');
      mustEqual(end.inbox.ahead('cut', { phase: 'active' }), [], 'active cuts at the end device');
      end.send({ type: 'prepared', deploymentId: id, version });
      for (const { inbox } of [end, edge]) await inbox.expect('cut', { phase: 'active', version });
    },
  ),
  phases('same-cut-in-both-phases', 'Both phases of a version carry the same cut.', async (stage) => {
    const { rollout, version } = await preparing(stage);
    const { end } = rollout;
    const prepare = end.inbox.messages.find((m) => m.type === 'cut' && m['version'] === version)!;
    for (const peer of [end, rollout.edge])
      peer.send({ type: 'prepared', deploymentId: rollout.id, version });
    const active = await end.inbox.expect('cut', { phase: 'active', version });
    for (const field of ['endLayers', 'tensors', 'model', 'tier'])
      mustEqual(active[field], prepare[field], field);
  }),
  phases('prepared-twice', 'prepared may come twice.', async (stage) => {
    const { rollout, version } = await preparing(stage);
    const { end, id } = rollout;
    const twice = (): void => [1, 2].forEach(() => end.send({ type: 'prepared', deploymentId: id, version }));
    await end.unanswered(twice, 'prepared is idempotent');
  }),
  phases('ack-twice', 'ack may come twice.', async (stage) => {
    const rollout = await stage.deploy();
    const version = await rollout.settle('edge');
    const { end, id } = rollout;
    await end.unanswered(() => end.send({ type: 'ack', deploymentId: id, version }), 'ack is idempotent');
  }),
  phases(
    'retreat-is-one-frame',
    'To the end device alone the way is one frame, without a phase before.',
    async (stage) => {
      const rollout = await stage.deploy();
      await rollout.settle('edge');
      const { end } = rollout;
      end.inbox.skip();
      const back = await rollout.cutFor(end, 'end');
      mustEqual(back['phase'], 'active', 'phase of the retreat');
    },
  ),
  phases(
    'not-capable',
    'A device that cannot prepare is never asked to; it switches when the other is ready.',
    async (stage) => {
      const rollout = await stage.deploy({ endHello: unable });
      await rollout.settle('end');
      const { end, edge, id } = rollout.resist();
      const { version } = await rollout.cutFor(edge, 'edge', { phase: 'prepare' });
      await end.inbox.expectNone('cut', { version }, 300, 'the edge is not prepared');
      edge.send({ type: 'prepared', deploymentId: id, version });
      await end.inbox.expect('cut', { phase: 'active', version });
      const asked = end.inbox.messages.filter((m) => m.type === 'cut' && m['phase'] === 'prepare');
      mustEqual(asked, [], 'cuts to prepare');
    },
  ),
  phases('none-capable', 'Where no tier can prepare, the cut is active at once.', async (stage) => {
    const rollout = await stage.deploy({ endHello: unable, edgeHello: unable });
    await rollout.settle('end');
    const { end, edge } = rollout.resist();
    const { phase, version } = await rollout.cutFor(end, 'edge');
    mustEqual(phase, 'active', 'phase at the end device');
    await edge.inbox.expect('cut', { version, phase: 'active' });
  }),
  phases(
    'seen-by-operators',
    'Operators see a rollout go from preparing over activating to active.',
    async (stage) => {
      const { rollout, version } = await preparing(stage);
      const { end, edge, id } = rollout;
      const phaseIs = (phase: string): Promise<true> =>
        rollout.until(`phase ${phase}`, (view) => (view.at('rollout', 'phase') === phase ? true : undefined));
      await phaseIs('preparing');
      for (const peer of [end, edge]) peer.send({ type: 'prepared', deploymentId: id, version });
      await phaseIs('activating');
      for (const peer of [end, edge]) peer.send({ type: 'ack', deploymentId: id, version });
      await phaseIs('active');
    },
  ),
  phases(
    'last-good-stays',
    'While a version is being prepared, the one before is the last good one.',
    async (stage) => {
      const { rollout, version, before } = await preparing(stage);
      const view = await rollout.view();
      const good = view.at('rollout', 'lastGood');
      const seen = typeof good === 'number' ? good : view.at('rollout', 'lastGood', 'version');
      mustEqual(seen, before, 'the last good version');
      must(version > before, 'the version that is prepared must be newer');
    },
  ),
];
