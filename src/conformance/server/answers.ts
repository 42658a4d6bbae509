/** ack and nack: what is refused goes back to the last good cut, is counted and backed off, and seen by operators. */
import { must, mustEqual, NotPlayable, show } from '../outcome.js';
import type { Peer } from '../peer.js';
import { newerThan, type Rollout } from '../rollout.js';
import type { Scenario } from '../scenario.js';
import type { ServerStage } from '../serverStage.js';

/** With a longer time to prepare its end is not waited for. */
const longestPrepareMs = 45_000;

function answers(
  name: string,
  promise: string,
  play: (stage: ServerStage) => Promise<void>,
  timeLimitMs: (stage: ServerStage) => number = () => 10_000,
): Scenario<ServerStage> {
  return { topic: 'ack-and-nack', name, promise, timeLimitMs, play };
}

/** An answer that cannot be taken, of a device without a deployment. */
function refused(name: string, promise: string, answer: object, error: object): Scenario<ServerStage> {
  return {
    topic: 'ack-and-nack',
    name,
    promise,
    play: async (stage) => {
      const peer = await stage.device();
      peer.send(answer);
      await peer.inbox.expect('error', { ...error });
      await peer.fence();
    },
  };
}

/** An answer to a version that was never sent. */
function unknownVersion(type: string, more: object = {}): Scenario<ServerStage> {
  return answers(
    `${type}-of-unknown-version`,
    `${type} of a version that was never sent gets unknown-version.`,
    async (stage) => {
      const rollout = await stage.deploy();
      const version = (await rollout.settle('end')) + 1_000;
      rollout.end.send({ type, deploymentId: rollout.id, version, ...more });
      await rollout.end.inbox.expect('error', { code: 'unknown-version', field: 'version' });
    },
  );
}

/** A deployment that ran on the end device and is being moved to the edge. */
async function moving(stage: ServerStage): Promise<{ rollout: Rollout; version: number }> {
  const rollout = await stage.deploy();
  await rollout.settle('end');
  const { version } = await rollout.resist().cutFor(rollout.end, 'edge', { phase: 'prepare' });
  await rollout.edge.inbox.expect('cut', { version });
  return { rollout, version: Number(version) };
}

function nack(peer: Peer, rollout: Rollout, version: number): void {
  peer.send({ type: 'nack', deploymentId: rollout.id, version, code: 'no-memory', message: 'conformance' });
}

/** All layers on the end device again, under a newer version. @returns that version */
async function goesBack({ end, id }: Rollout, version: number): Promise<number> {
  const wanted = { deploymentId: id, phase: 'active', version: newerThan(version) };
  const back = await end.inbox.expect('cut', wanted);
  mustEqual(back['tensors'], [], 'tensors of the cut after the nack');
  return Number(back['version']);
}

function prepareMs(stage: ServerStage): number {
  const limit = stage.limit('prepareMs');
  if (limit > longestPrepareMs) {
    throw new NotPlayable(`needs a server with limits.prepareMs of at most ${longestPrepareMs}`);
  }
  return limit;
}

const untilTimeout = (stage: ServerStage): number =>
  Math.min(
    longestPrepareMs,
    Number((stage.facts.welcome['limits'] as { prepareMs?: number })?.prepareMs ?? 0),
  ) + 12_000;

const nacks: readonly Scenario<ServerStage>[] = [
  answers(
    'nack-by-the-edge',
    'When the edge cannot prepare, all stay on the last good cut, under a newer version.',
    async (stage) => {
      const { rollout, version } = await moving(stage);
      rollout.end.send({ type: 'prepared', deploymentId: rollout.id, version });
      nack(rollout.edge, rollout, version);
      await goesBack(rollout, version);
      const switched = rollout.end.inbox.messages.filter(
        (m) => m['version'] === version && m['phase'] === 'active',
      );
      mustEqual(switched, [], 'active cuts of the refused version');
    },
  ),
  answers(
    'nack-by-the-end',
    'When the end device cannot prepare, all stay on the last good cut.',
    async (stage) => {
      const { rollout, version } = await moving(stage);
      rollout.edge.send({ type: 'prepared', deploymentId: rollout.id, version });
      nack(rollout.end, rollout, version);
      await goesBack(rollout, version);
      mustEqual(rollout.edge.inbox.ahead('cut', { version, phase: 'active' }), [], 'active cuts at the edge');
    },
  ),
  answers(
    'nack-of-the-switch',
    'A tier that cannot switch takes all back to the last good cut.',
    async (stage) => {
      const { rollout, version } = await moving(stage);
      const { end, edge, id } = rollout;
      for (const peer of [end, edge]) peer.send({ type: 'prepared', deploymentId: id, version });
      await edge.inbox.expect('cut', { version, phase: 'active' });
      await end.inbox.expect('cut', { version, phase: 'active' });
      end.send({ type: 'ack', deploymentId: id, version });
      nack(edge, rollout, version);
      await goesBack(rollout, version);
    },
  ),
  answers('nack-is-seen', 'Operators see which tier refused, with its reason code.', async (stage) => {
    const { rollout, version } = await moving(stage);
    nack(rollout.edge, rollout, version);
    await goesBack(rollout, version);
    await rollout.until('the nack', (view) => (show(view.value).includes('"no-memory"') ? true : undefined));
    mustEqual(
      await rollout.until('the nack of the edge', (view) => view.at('nacks', 'edge', 'code')),
      'no-memory',
      'code',
    );
  }),
  answers(
    'no-tight-resend',
    'What was refused is not sent again at once: it is backed off.',
    async (stage) => {
      const { rollout } = await moving(stage);
      const { end, edge } = rollout.obey();
      edge.resist();
      const refuse = (): void => {
        for (const cut of edge.inbox.ahead('cut', { phase: 'prepare' }))
          nack(edge, rollout, Number(cut['version']));
        edge.inbox.skip();
      };
      const before = edge.inbox.messages.length;
      const timer = setInterval(refuse, 10);
      const first = Number(edge.inbox.messages.at(-1)?.['version']);
      nack(edge, rollout, first);
      try {
        await rollout.telling('edge', end.inbox.expectOpen(2_500, 'a nack ends nothing'));
      } finally {
        clearInterval(timer);
      }
      const again = edge.inbox.messages
        .slice(before)
        .filter((m) => m.type === 'cut' && m['phase'] === 'prepare');
      must(again.length <= 2, `in 2.5 s the refused cut came ${again.length} times again`);
    },
  ),
  answers(
    'tried-again-later',
    'After the back-off it is tried again, and an ack makes it the good one.',
    async (stage) => {
      const { rollout, version } = await moving(stage);
      nack(rollout.edge, rollout, version);
      await goesBack(rollout, version);
      const settled = await rollout.settle('edge', 8_000);
      must(settled > version, 'the version that is active must be newer than the refused one');
    },
    () => 14_000,
  ),
  answers(
    'safe-cut-refused',
    'When even the safe local cut is refused, the deployment is rejected and operators see it.',
    async (stage) => {
      const rollout = await stage.deploy();
      const { version } = await rollout.end.inbox.expect('cut', { deploymentId: rollout.id });
      nack(rollout.end, rollout, Number(version));
      const rejected = await rollout.until('the rejection', (view) =>
        view.at('rollout', 'phase') === 'rejected' ? true : undefined,
      );
      mustEqual(rejected, true, 'rejected');
      await rollout.end.inbox.expect('cut', { deploymentId: rollout.id, version }, 4_000); // backed off, it comes again
    },
  ),
  answers(
    'not-prepared-in-time',
    'Who does not answer within limits.prepareMs counts as a nack.',
    async (stage) => {
      const patienceMs = prepareMs(stage) + 5_000;
      const { rollout, version } = await moving(stage);
      rollout.end.send({ type: 'prepared', deploymentId: rollout.id, version });
      const back = await rollout.end.inbox.expect('cut', { version: newerThan(version) }, patienceMs);
      mustEqual(
        [back['phase'], back['tensors']],
        ['active', []],
        'phase and tensors of the cut after the time',
      );
      await rollout.until('prepare-timeout', (view) =>
        show(view.value).includes('"prepare-timeout"') ? true : undefined,
      );
    },
    untilTimeout,
  ),
  answers(
    'sent-again',
    'A switch that is not acknowledged is sent again, the same one.',
    async (stage) => {
      const patienceMs = prepareMs(stage) + 6_000;
      const { rollout, version } = await moving(stage);
      const { end, edge, id } = rollout;
      for (const peer of [end, edge]) peer.send({ type: 'prepared', deploymentId: id, version });
      await end.inbox.expect('cut', { version, phase: 'active' });
      edge.send({ type: 'ack', deploymentId: id, version });
      await end.inbox.expect('cut', { version, phase: 'active' }, patienceMs);
    },
    untilTimeout,
  ),
];

const others: readonly Scenario<ServerStage>[] = [
  refused(
    'ack-of-unknown-deployment',
    'ack of a deployment that the device does not have gets unknown-deployment.',
    { type: 'ack', deploymentId: 'none', version: 1 },
    { code: 'unknown-deployment', field: 'deploymentId' },
  ),
  refused(
    'prepared-of-unknown-deployment',
    'prepared of such a deployment gets unknown-deployment.',
    { type: 'prepared', deploymentId: 'none', version: 1 },
    { code: 'unknown-deployment', field: 'deploymentId' },
  ),
  refused(
    'nack-of-unknown-deployment',
    'nack of such a deployment gets unknown-deployment.',
    { type: 'nack', deploymentId: 'none', version: 1, code: 'x' },
    { code: 'unknown-deployment', field: 'deploymentId' },
  ),
  refused(
    'nack-without-code',
    'A nack must say its reason code.',
    { type: 'nack', deploymentId: 'd', version: 1 },
    { code: 'invalid-field', field: 'code' },
  ),
  refused(
    'nack-code',
    'Reason codes are kebab-case.',
    { type: 'nack', deploymentId: 'd', version: 1, code: 'No Memory' },
    { code: 'invalid-field', field: 'code' },
  ),
  refused(
    'ack-version',
    'Versions are whole numbers from 1.',
    { type: 'ack', deploymentId: 'd', version: 0 },
    { code: 'invalid-field', field: 'version' },
  ),
  refused(
    'ack-without-version',
    'An ack must say its version.',
    { type: 'ack', deploymentId: 'd' },
    { code: 'invalid-field', field: 'version' },
  ),
  unknownVersion('ack'),
  unknownVersion('prepared'),
  unknownVersion('nack', { code: 'no-memory' }),
  answers('not-for-others', 'A device cannot answer for a deployment of others.', async (stage) => {
    const rollout = await stage.deploy();
    const version = await rollout.settle('end');
    const stranger = await stage.device('stranger');
    stranger.send({ type: 'ack', deploymentId: rollout.id, version });
    await stranger.inbox.expect('error', { code: 'unknown-deployment' });
  }),
];

export const answerScenarios = [...nacks, ...others];
