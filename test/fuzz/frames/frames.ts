/** Frames as no device should send them: random bytes, real frames with damage, and values made from the schemas. */
import { deviceMessageSchemas } from '../../../src/protocol/messages.js';
import type { Random } from '../../../src/demo/random.js';
import { fromSchema, oddValue } from '../fromSchema.js';

export interface Frame {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

const whole = (random: Random, below: number): number => Math.floor(random.uniform() * below);
const pick = <T>(random: Random, list: readonly T[]): T => list[whole(random, list.length)]!;

/** As the examples of docs/protocol.md: what devices that work send. */
const realHellos: readonly object[] = [
  { type: 'hello', deviceId: 'camera', role: 'end', bootEpoch: 1, computeRatio: 4.2, running: [] },
  { type: 'hello', deviceId: 'edge', role: 'edge', computeRatio: 0.5, capabilities: ['prepare'] },
];
const realFrames: readonly object[] = [
  {
    type: 'telemetry',
    sequence: 1,
    uplinkBitsPerSecond: 24e6,
    downlinkBitsPerSecond: 9e7,
    rttSeconds: 0.018,
    cpuLoad: 0.35,
    battery: { level: 0.81, charging: false },
  },
  { type: 'telemetry', sequence: 2, slowdown: 1.5, queueLength: 3, meanServiceSeconds: 0.02 },
];

export interface FrameSource {
  readonly random: Random;
  /** Devices, deployments and versions that exist. */
  readonly names: readonly string[];
  readonly deploymentId: string;
  /** Rises, so that most telemetry is not stale. */
  readonly nextSequence: () => number;
  readonly version: () => number;
}

const { hello: helloSchema, ...laterSchemas } = deviceMessageSchemas;
/** A second hello ends its connection: with many of them little else would be tried. */
const helloShare = 0.03;

/** One frame; a tenth is random bytes, a third damaged text, the rest made from a schema. */
export function frame(source: FrameSource): Frame {
  const { random } = source;
  const kind = random.uniform();
  if (kind < 0.1) return { data: noise(random), isBinary: random.uniform() < 0.5 };
  if (kind < 0.4) return { data: damaged(real(source), random), isBinary: false };
  return { data: Buffer.from(JSON.stringify(made(source)) ?? 'null'), isBinary: random.uniform() < 0.01 };
}

function noise(random: Random): Buffer {
  return Buffer.from(Array.from({ length: whole(random, 200) }, () => whole(random, 256)));
}

function real(source: FrameSource): Buffer {
  const { random } = source;
  const value: Record<string, unknown> = {
    ...pick(random, random.uniform() < helloShare ? realHellos : realFrames),
  };
  if ('sequence' in value) value['sequence'] = source.nextSequence();
  return Buffer.from(JSON.stringify(value));
}

function damaged(original: Buffer, random: Random): Buffer {
  let text: Buffer = Buffer.from(original);
  for (let count = 1 + whole(random, 3); count > 0 && text.length > 0; count--) {
    const at = whole(random, text.length);
    switch (whole(random, 7)) {
      case 0:
        text[at]! ^= 1 << whole(random, 8);
        break;
      case 1:
        text = text.subarray(0, at);
        break;
      case 2:
        text = Buffer.concat([text.subarray(0, at), text.subarray(at + 1 + whole(random, 4))]);
        break;
      case 3:
        text = Buffer.concat([text.subarray(0, at), noise(random).subarray(0, 8), text.subarray(at)]);
        break;
      case 4: // a number that is none, or far out of range
        text = Buffer.from(
          text.toString().replace(/-?\d[\d.e+]*/, pick(random, ['1e400', '-1', '007', 'NaN', '1e999999'])),
        );
        break;
      case 5:
        text = nested(text, 1 + whole(random, 3_000));
        break;
      default: // the same field twice
        text = Buffer.from(text.toString().replace('{', '{"type":"telemetry","sequence":0,'));
    }
  }
  return text;
}

/** The frame inside of many arrays: parsers and checks that recurse run out of stack. */
function nested(text: Buffer, depth: number): Buffer {
  return Buffer.from(
    `{"type":"telemetry","sequence":1,"battery":${'['.repeat(depth)}${text.toString()}${']'.repeat(depth)}}`,
  );
}

function made(source: FrameSource): unknown {
  const { random } = source;
  const schema: object =
    random.uniform() < helloShare ? helloSchema : pick<object>(random, Object.values(laterSchemas));
  const wrong = random.uniform() < 0.5 ? 0 : 0.05;
  const value = fromSchema(schema, { random, wrong, names: source.names });
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Record<string, unknown>;
  if ('sequence' in fields && random.uniform() < 0.9) fields['sequence'] = source.nextSequence();
  if ('deploymentId' in fields && random.uniform() < 0.8) fields['deploymentId'] = source.deploymentId;
  if ('version' in fields && random.uniform() < 0.8) fields['version'] = source.version();
  if (random.uniform() < 0.02) fields[pick(random, source.names)] = oddValue(random);
  return fields;
}
