/** The version is agreed at the upgrade, or the upgrade is refused. */
import { protocolName } from '../../protocol/messages.js';
import { must, mustEqual } from '../outcome.js';
import { Peer } from '../peer.js';
import { rawUpgrade } from '../rawWire.js';
import type { Scenario } from '../scenario.js';
import type { ServerStage } from '../serverStage.js';

function refuses(name: string, promise: string, protocols: readonly string[]): Scenario<ServerStage> {
  return {
    topic: 'version',
    name,
    promise,
    play: async (stage) => {
      const answer = await stage.upgrade('device', { protocols });
      must(!(answer instanceof Peer), 'the upgrade was made without the subprotocol of this version');
      mustEqual(answer.status, 400, 'status of the refusal');
    },
  };
}

function selects(name: string, promise: string, protocols: readonly string[]): Scenario<ServerStage> {
  return {
    topic: 'version',
    name,
    promise,
    play: async (stage) => {
      const peer = await stage.connect('device', { protocols });
      mustEqual(peer.socket.protocol, protocolName, 'the subprotocol that the server selected');
    },
  };
}

/** Requests at the devices' address that are no upgrade of a WebSocket. */
function noUpgrade(
  name: string,
  promise: string,
  change: (head: readonly string[]) => readonly string[],
): Scenario<ServerStage> {
  return {
    topic: 'version',
    name,
    promise,
    play: async (stage) => {
      const wire = await rawUpgrade(stage, 'device', change);
      must(wire.status !== 101 && wire.status < 500, `no upgrade and no internal error, but ${wire.status}`);
      wire.destroy();
      await stage.device('after'); // and the server goes on
    },
  };
}

export const versionScenarios: readonly Scenario<ServerStage>[] = [
  selects('selected', 'The subprotocol cutpoint.v1 is selected where it is offered.', [protocolName]),
  selects('selected-among-others', 'It is found among other subprotocols.', ['mqtt', protocolName, 'x.v9']),
  refuses('none-offered', 'Without a subprotocol the upgrade is refused with 400.', []),
  refuses('unknown-version', 'An unknown version is refused with 400 before the upgrade.', ['cutpoint.v0']),
  refuses('similar-name', 'A name that only begins alike is another one.', ['cutpoint.v10', 'xcutpoint.v1']),
  noUpgrade(
    'plain-get',
    'A request without an upgrade opens no WebSocket, and is no internal error.',
    (head) =>
      head.filter((line) => !/^(upgrade|connection|sec-websocket)/i.test(line)).concat('Connection: close'),
  ),
  noUpgrade('no-key', 'An upgrade without Sec-WebSocket-Key is refused.', (head) =>
    head.filter((line) => !/^sec-websocket-key/i.test(line)),
  ),
  noUpgrade('websocket-version', 'A version of WebSocket other than 13 is refused.', (head) =>
    head.map((line) => line.replace(/^(sec-websocket-version): 13/i, '$1: 7')),
  ),
  noUpgrade('not-http', 'Bytes that are no HTTP are refused.', () => ['\u0016\u0003\u0001 rubbish']),
];
