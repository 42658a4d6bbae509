/** Rubbish costs its sender an error or the connection, and nobody else anything. */
import { must, mustEqual } from '../outcome.js';
import { frame, rawUpgrade } from '../rawWire.js';
import type { Scenario } from '../scenario.js';
import type { ServerStage } from '../serverStage.js';
import { answered } from './answered.js';

/** A frame by hand that breaks the rules of WebSocket. */
function broken(name: string, promise: string, bytes: () => Buffer, code: number): Scenario<ServerStage> {
  return {
    topic: 'data-safety',
    name,
    promise,
    play: async (stage) => {
      const wire = await rawUpgrade(stage, 'device');
      mustEqual(wire.status, 101, 'status of the upgrade');
      wire.write(bytes());
      mustEqual(await wire.closeCode(), code, 'close code');
      wire.destroy();
      await (await stage.device('after')).fence();
    },
  };
}

export const dataSafetyScenarios: readonly Scenario<ServerStage>[] = [
  answered(
    'data-safety',
    'unknown-type',
    'A message of unknown type gets unknown-type.',
    '{"type":"reboot"}',
    {
      code: 'unknown-type',
      field: 'type',
    },
  ),
  answered(
    'data-safety',
    'inherited-type',
    'A type like toString is an unknown type.',
    '{"type":"toString"}',
    {
      code: 'unknown-type',
    },
  ),
  answered('data-safety', 'array', 'An array is no message.', '[]', { code: 'unknown-type' }),
  answered('data-safety', 'null', 'null is no message.', 'null', { code: 'unknown-type' }),
  answered('data-safety', 'number', 'A number is no message.', '42', { code: 'unknown-type' }),
  answered('data-safety', 'empty', 'An empty frame is no JSON.', '', { code: 'not-json' }),
  answered('data-safety', 'half-a-message', 'Half a message is no JSON.', '{"type":"telem', {
    code: 'not-json',
  }),
  {
    topic: 'data-safety',
    name: 'binary',
    promise: 'A binary frame gets not-text: nothing pickled is ever loaded.',
    play: async (stage) => {
      const peer = await stage.device();
      peer.sendBinary(Buffer.from('{"type":"telemetry","sequence":1}'));
      await peer.inbox.expect('error', { code: 'not-text' });
      await peer.fence();
    },
  },
  {
    topic: 'data-safety',
    name: 'costs-its-sender-alone',
    promise: 'Bad frames of one device cost no other anything.',
    play: async (stage) => {
      const bad = await stage.device('bad');
      const good = await stage.device('good');
      for (const text of ['{', '[]', '{"type":"x"}', '{"type":"telemetry"}']) bad.sendText(text);
      await bad.fence();
      await good.unanswered(() => good.telemetry({ cpuLoad: 0.1 }), 'the other device is not touched');
    },
  },
  {
    topic: 'data-safety',
    name: 'errors-say-what',
    promise: 'An error has a stable code and says in words what is wrong.',
    play: async (stage) => {
      const peer = await stage.device();
      peer.telemetry({ cpuLoad: 7 });
      const { code, message } = await peer.inbox.expect('error');
      must(typeof code === 'string' && /^[a-z]+(-[a-z]+)*$/.test(code), `code is ${String(code)}`);
      must(typeof message === 'string' && message.includes('cpuLoad'), `message is ${String(message)}`);
    },
  },
  broken(
    'unmasked',
    'An unmasked frame ends the connection with 1002.',
    () => {
      return frame(1, Buffer.from('{}'), { isMasked: false });
    },
    1002,
  ),
  broken(
    'reserved-bits',
    'Reserved bits end the connection with 1002.',
    () => {
      return frame(1, Buffer.from('{}'), { reserved: 4 });
    },
    1002,
  ),
  broken(
    'reserved-opcode',
    'An unknown opcode ends the connection with 1002.',
    () => {
      return frame(3, Buffer.from('{}'));
    },
    1002,
  ),
  broken(
    'fragmented-ping',
    'A ping in fragments ends the connection with 1002.',
    () => {
      return frame(9, Buffer.from('x'), { isFinal: false });
    },
    1002,
  ),
  broken(
    'not-utf-8',
    'Text that is not UTF-8 ends the connection with 1007.',
    () => {
      return frame(1, Buffer.from([0xc3, 0x28]));
    },
    1007,
  ),
];
