import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readControllerFrame } from '../../src/client/controllerFrames.js';
import { packageRoot } from '../../src/packageRoot.js';
import { closes, transportCloses } from '../../src/protocol/closeCodes.js';
import { createDecoder } from '../../src/ws/codec.js';
import { controllerMessageSchemas, deviceMessageSchemas } from '../../src/protocol/messages.js';

const text = readFileSync(join(packageRoot(), 'docs', 'protocol.md'), 'utf8');

function section(title: string): string {
  const found = new RegExp(`\n${title}\n([\\s\\S]*?)(?=\n##|$)`).exec(text)?.[1];
  assert.ok(found, `there is no section ${title}`);
  return found;
}

/** Messages of the session with their direction, the line breaks within them taken out. */
function session(): { readonly isOfDevice: boolean; readonly json: string }[] {
  const block = /```\n([\s\S]*?)```/.exec(section('## A session'))![1]!;
  return block
    .split('\n\n')
    .filter((part) => /^[<>]/.test(part))
    .flatMap((part) => part.split(/\n(?=[<>])/))
    .map((message) => ({ isOfDevice: message.startsWith('>'), json: message.slice(1).trim() }));
}

describe('docs/protocol.md', () => {
  it('has every field of every message', () => {
    for (const [type, schema] of Object.entries({ ...deviceMessageSchemas, ...controllerMessageSchemas })) {
      const said = section(`### ${type}`);
      for (const field of Object.keys(schema.properties)) {
        if (field === 'type') continue;
        assert.match(said, new RegExp(`[\`"]${field}[\`"]`), `${type}.${field}`);
      }
    }
  });

  it('has every limit of the welcome', () => {
    for (const limit of Object.keys(controllerMessageSchemas.welcome.properties.limits.properties)) {
      assert.ok(section('### welcome').includes(`\`${limit}\``), limit);
    }
  });

  it('has every close code with its name, its reason and whether to come back', () => {
    const rows = section('## Close codes')
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .slice(2)
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    const named = Object.entries(closes).map(([name, close]) => ({ name: `\`${name}\``, ...close }));
    const others = Object.values(transportCloses).map((close) => ({ name: '', ...close }));
    assert.deepEqual(
      rows,
      [...named, ...others].map(({ code, name, why, comeBack }) => [String(code), name, why, comeBack]),
    );
  });

  it('shows messages of devices that are taken, but for the one that is meant to be wrong', () => {
    const decode = createDecoder(8);
    const sent = session().filter(({ isOfDevice }) => isOfDevice);
    const decoded = sent.map(({ json }) => decode(Buffer.from(json), false));
    const types = new Set(decoded.map((one) => (one.ok ? one.message.type : null)));
    assert.deepEqual(
      types,
      new Set([...Object.keys(deviceMessageSchemas), null]),
      'each kind of message is shown',
    );
    const wrong = decoded.filter((one) => !one.ok);
    assert.deepEqual(
      wrong.map(({ field }) => field),
      ['cpuLoad'],
    );
    assert.ok(text.includes(JSON.stringify(wrong[0]!.message)), 'with the answer that it gets');
  });

  it('shows messages of the controller as they are', () => {
    const frames = session()
      .filter(({ isOfDevice }) => !isOfDevice)
      .map(({ json }) => readControllerFrame(Buffer.from(json), false));
    assert.deepEqual(
      frames.filter(({ type }) => type !== 'message'),
      [],
    );
    const types = new Set(frames.map((frame) => (frame.type === 'message' ? frame.message.type : '')));
    assert.deepEqual(types, new Set(Object.keys(controllerMessageSchemas)), 'each kind of message is shown');
  });
});
