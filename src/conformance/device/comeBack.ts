/** After each close a device comes back, comes back later, or stays away, as the table of close codes says. */
import { closes, type CloseName } from '../../protocol/closeCodes.js';
import { must, mustEqual, show } from '../outcome.js';
import type { Scenario } from '../scenario.js';
import type { DeviceStage } from './deviceStage.js';

/** The first pause of a reconnect is half a second or more; less some for two clocks, ms. */
const leastPauseMs = 400;
/** The first pause of a reconnect is at most one second; by then an impatient device has been here. */
const awayMs = 2_500;

function comesBack(
  name: string,
  how: string,
  end: (stage: DeviceStage) => Promise<void>,
): Scenario<DeviceStage> {
  return {
    topic: 'reconnect',
    name,
    promise: `${how} the device comes back, after a pause.`,
    play: async (stage) => {
      const wire = await stage.device();
      const before = stage.bench.attempts.length;
      // the device learns of the end after this, and begins its pause then
      const endedMs = performance.now();
      await end(stage);
      await wire.inbox.expectClosed();
      await stage.device();
      const pauseMs = Math.round((stage.bench.attempts[before]?.atMs ?? 0) - endedMs);
      must(
        pauseMs >= leastPauseMs,
        `it came back after ${pauseMs} ms: at once is too soon for a whole fleet`,
      );
    },
  };
}

function staysAway(name: CloseName, promise: string): Scenario<DeviceStage> {
  return {
    topic: 'reconnect',
    name: `${closes[name].comeBack === 'no' ? 'stays-away' : 'comes-later'}-after-${name}`,
    promise,
    play: async (stage) => {
      stage.needsCommand();
      const wire = await stage.device();
      const before = stage.bench.attempts.length;
      wire.close(name);
      const came = await stage.bench.attempted(before + 1, awayMs, stage.signal);
      must(!came, `it came back after ${closes[name].code} ${name}`);
    },
  };
}

const back: readonly Scenario<DeviceStage>[] = (
  ['shutting-down', 'slow-consumer', 'heartbeat-missed', 'internal-error'] as const
).map((name) =>
  comesBack(`after-${name}`, `After ${closes[name].code} ${name}`, async (stage) => {
    stage.bench.current?.close(name);
    return Promise.resolve();
  }),
);

const away: readonly Scenario<DeviceStage>[] = Object.entries(closes)
  .filter(([, { comeBack }]) => comeBack !== 'yes')
  .map(([name, { code, comeBack }]) =>
    staysAway(
      name as CloseName,
      comeBack === 'no'
        ? `After ${code} ${name} the device stays away.`
        : `After ${code} ${name} the device waits a minute or more.`,
    ),
  );

export const comeBackScenarios: readonly Scenario<DeviceStage>[] = [
  ...back,
  comesBack('after-a-break', 'After a broken connection', async (stage) => {
    stage.bench.current?.drop();
    return Promise.resolve();
  }),
  {
    topic: 'reconnect',
    name: 'backs-off',
    promise: 'While the controller refuses with 503, the pauses get longer.',
    timeLimitMs: () => 15_000,
    play: async (stage) => {
      stage.needsCommand();
      stage.bench.refuseWith = 503;
      await stage.bench.attempted(1, stage.connectMs, stage.signal);
      must(
        await stage.bench.attempted(4, 12_000 * stage.patience, stage.signal),
        'it gave up, or waits longer than doubling from 1 s',
      );
      const times = stage.bench.attempts.map(({ atMs }) => atMs);
      const pauses = times.slice(1).map((atMs, i) => Math.round(atMs - times[i]!));
      must(pauses[0]! >= 200 && pauses.at(-1)! > pauses[0]!, `pauses were ${show(pauses)} ms`);
      stage.bench.refuseWith = null;
      await stage.device();
    },
  },
  {
    topic: 'identity',
    name: 'not-insisting',
    promise: 'A device whose token is refused with 401 does not hammer at the door.',
    play: async (stage) => {
      stage.needsCommand();
      stage.bench.refuseWith = 401;
      must(await stage.bench.attempted(1, stage.connectMs, stage.signal), 'it did not connect');
      const came = await stage.bench.attempted(4, awayMs, stage.signal);
      must(!came, `it came ${stage.bench.attempts.length} times within ${awayMs} ms`);
    },
  },
  {
    topic: 'data-safety',
    name: 'survives-rubbish',
    promise: 'Rubbish from the other side does not end the device: it goes on, or comes back.',
    play: async (stage) => {
      const wire = await stage.device();
      wire.sendText('{');
      wire.sendText('[]');
      wire.sendText('{"type":"cut"}');
      wire.sendBinary(Buffer.from([0, 1, 2]));
      const deploymentId = stage.deployment();
      const next = wire.isOpen ? await stillThere(stage) : await stage.device();
      next.send(stage.safeCut(next, deploymentId, 1));
      await stage.answer(next, 'ack', { deploymentId, version: 1 });
      mustEqual(next.isOpen, true, 'the connection is open');
    },
  },
];

/** The connection half a second later, or the one after it. */
async function stillThere(stage: DeviceStage): Promise<Awaited<ReturnType<DeviceStage['device']>>> {
  await new Promise((resolve) => setTimeout(resolve, 500));
  return stage.device();
}

export const stayAwayScenarios = away;
