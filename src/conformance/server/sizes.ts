/** How large and how deep a frame may be. */
import type { Scenario } from '../scenario.js';
import type { ServerStage } from '../serverStage.js';
import { answered } from './answered.js';

/** A telemetry frame of exactly so many bytes, wrong by a long unknown field. */
function frameOf(bytes: number): string {
  const text = (fill: number): string => `{"type":"telemetry","sequence":1,"x":"${'x'.repeat(fill)}"}`;
  return text(bytes - text(0).length);
}

/** Telemetry whose battery is nested so that the frame has that depth. */
function nested(depth: number): string {
  const inside = depth - 1;
  return `{"type":"telemetry","sequence":1,"x":${'['.repeat(inside)}${']'.repeat(inside)}}`;
}

export const sizesScenarios: readonly Scenario<ServerStage>[] = [
  answered(
    'sizes',
    'largest-frame',
    'A frame of exactly limits.frameBytes is taken.',
    (stage) => frameOf(stage.limit('frameBytes')),
    { code: 'invalid-field', field: 'x' },
  ),
  {
    topic: 'sizes',
    name: 'too-large',
    promise: 'A frame above limits.frameBytes ends the connection with 1009.',
    play: async (stage) => {
      const peer = await stage.device();
      peer.sendText(frameOf(stage.limit('frameBytes') + 1));
      await peer.inbox.expectClose(1009);
    },
  },
  {
    topic: 'sizes',
    name: 'too-large-in-fragments',
    promise: 'The limit holds for a message in fragments as a whole.',
    play: async (stage) => {
      const peer = await stage.device();
      const half = 'x'.repeat(Math.ceil(stage.limit('frameBytes') * 0.6));
      peer.socket.send(half, { fin: false });
      peer.socket.send(half, { fin: true });
      await peer.inbox.expectClose(1009);
    },
  },
  {
    topic: 'sizes',
    name: 'fragments',
    promise: 'A message may come in fragments.',
    play: async (stage) => {
      const peer = await stage.connect('device');
      const text = JSON.stringify(stage.hello('device'));
      for (let at = 0; at < text.length; at += 10) {
        peer.socket.send(text.slice(at, at + 10), { fin: at + 10 >= text.length });
      }
      await peer.inbox.expect('welcome');
    },
  },
  answered(
    'sizes',
    'too-deep',
    'A frame that is nested deeper than limits.jsonDepth gets too-deep.',
    (stage) => nested(stage.limit('jsonDepth') + 1),
    { code: 'too-deep' },
  ),
  answered(
    'sizes',
    'far-too-deep',
    'Thousands of brackets are too deep, too, and hurt nobody.',
    (stage) => nested(Math.min(20_000, Math.floor(stage.limit('frameBytes') / 3))),
    { code: 'too-deep' },
  ),
  answered(
    'sizes',
    'deepest',
    'A frame of exactly that depth is looked at like any other.',
    (stage) => nested(stage.limit('jsonDepth')),
    { code: 'invalid-field', field: 'x' },
  ),
  answered(
    'sizes',
    'brackets-in-text',
    'Brackets inside of text are no depth.',
    `{"type":"telemetry","sequence":1,"x":"${'[{'.repeat(50)}"}`,
    { code: 'invalid-field', field: 'x' },
  ),
  {
    topic: 'sizes',
    name: 'compression',
    promise: 'Compression is not agreed to, or the limit counts after decompression.',
    play: async (stage) => {
      const peer = await stage.device('device', {}, { socket: { perMessageDeflate: true } });
      if (!peer.socket.extensions.includes('permessage-deflate')) return;
      peer.sendText(frameOf(stage.limit('frameBytes') * 100));
      await peer.inbox.expectClose(1009);
    },
  },
];
