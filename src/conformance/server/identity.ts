/** Who a device is: credentials at the upgrade, bound to one id; a second connection of an id takes over. */
import { must, mustEqual, NotPlayable } from '../outcome.js';
import { Peer, type PeerOptions, type Refusal } from '../peer.js';
import type { Scenario } from '../scenario.js';
import type { ServerStage } from '../serverStage.js';

const unknownToken = 'cpd_0000000000000000000000000000000000000000000';

function needsCredentials({ facts }: ServerStage): void {
  if (!facts.needsToken) throw new NotPlayable('needs a server that asks devices for a token');
}

async function refusal(stage: ServerStage, options: Partial<PeerOptions>): Promise<Refusal> {
  const answer = await stage.upgrade('device', options);
  must(!(answer instanceof Peer), 'the upgrade was made');
  return answer;
}

function unauthorised(name: string, promise: string, options: Partial<PeerOptions>): Scenario<ServerStage> {
  return {
    topic: 'identity',
    name,
    promise,
    play: async (stage) => {
      needsCredentials(stage);
      mustEqual((await refusal(stage, options)).status, 401, 'status of the refusal');
    },
  };
}

export const identityScenarios: readonly Scenario<ServerStage>[] = [
  unauthorised('no-token', 'Without a token the upgrade is refused with 401.', { token: null }),
  unauthorised('unknown-token', 'An unknown token is refused with 401 before the upgrade.', {
    token: unknownToken,
  }),
  unauthorised('other-scheme', 'Another scheme than Bearer is refused with 401.', {
    authorization: `Basic ${Buffer.from(`device:${unknownToken}`).toString('base64')}`,
  }),
  unauthorised('empty-token', 'An empty token is refused with 401.', { authorization: 'Bearer ' }),
  {
    topic: 'identity',
    name: 'revoked-like-unknown',
    promise: 'A revoked token is refused as an unknown one is: same status, same body.',
    play: async (stage) => {
      needsCredentials(stage);
      const { token } = await stage.ownToken('device');
      await stage.revoke('device');
      const revoked = await refusal(stage, { token });
      mustEqual(revoked.status, 401, 'status of the refusal');
      mustEqual(
        revoked,
        await refusal(stage, { token: unknownToken }),
        'the refusal beside that of an unknown one',
      );
    },
  },
  {
    topic: 'identity',
    name: 'revoked-is-closed',
    promise: 'A device whose token is revoked is closed at once, with 4009.',
    play: async (stage) => {
      needsCredentials(stage);
      const peer = await stage.device();
      await stage.revoke('device');
      await peer.closes('revoked');
    },
  },
  {
    topic: 'identity',
    name: 'other-device',
    promise: 'A device speaks for itself alone: the hello of another id gets device-mismatch and 4010.',
    play: async (stage) => {
      needsCredentials(stage);
      const peer = await stage.connect('device');
      peer.send(stage.hello('somebody-else'));
      await peer.inbox.expect('error', { code: 'device-mismatch' });
      await peer.closes('device-mismatch');
    },
  },
  {
    topic: 'identity',
    name: 'takeover',
    promise: 'A second connection of an id takes over; the first is closed with 4001.',
    play: async (stage) => {
      const first = await stage.device();
      const second = await stage.device();
      await first.closes('taken-over');
      await second.fence();
    },
  },
  {
    topic: 'identity',
    name: 'takeover-chain',
    promise: 'Of many connections of an id the last one stays, and only that.',
    play: async (stage) => {
      const peers: Peer[] = [];
      for (let i = 0; i < 5; i++) peers.push(await stage.device());
      const last = peers.pop()!;
      for (const peer of peers) await peer.closes('taken-over');
      await last.fence();
      await last.inbox.expectOpen(100, 'the last connection must stay');
    },
  },
  {
    topic: 'identity',
    name: 'takeover-needs-a-hello',
    promise: 'A connection that says no valid hello takes over from nobody.',
    play: async (stage) => {
      const first = await stage.device();
      const second = await stage.connect('device');
      second.send(stage.hello('device', { role: 'gateway' }));
      await second.closes('hello-invalid');
      await first.fence();
    },
  },
  {
    topic: 'identity',
    name: 'ids-are-exact',
    promise: 'Ids that differ in case are different devices.',
    play: async (stage) => {
      const lower = await stage.device('device');
      const upper = await stage.device('DEVICE');
      await upper.fence();
      await lower.fence();
    },
  },
];
