import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { packageRoot } from '../../src/packageRoot.js';
import { closes } from '../../src/protocol/closeCodes.js';
import { createDecoder } from '../../src/ws/codec.js';
import { controllerMessageSchemas, deviceMessageSchemas } from '../../src/protocol/messages.js';

const text = readFileSync(join(packageRoot(), 'docs', 'protocol.md'), 'utf8');

describe('docs/protocol.md', () => {
  it('has every field of every message', () => {
    for (const [type, schema] of Object.entries({ ...deviceMessageSchemas, ...controllerMessageSchemas })) {
      const section = new RegExp(`### ${type}\\n([\\s\\S]*?)(?=\\n##)`).exec(text)?.[1];
      assert.ok(section, `there is no section ${type}`);
      for (const field of Object.keys(schema.properties)) {
        if (field === 'type') continue;
        assert.match(section, new RegExp(`[\`"]${field}[\`"]`), `${type}.${field}`);
      }
    }
  });

  it('has every close code with its name', () => {
    for (const [name, { code }] of Object.entries(closes)) {
      assert.match(text, new RegExp(`\\| ${code} +\\| \`${name}\``));
    }
  });

  it('shows messages of devices that are taken, but for the one that is meant to be wrong', () => {
    const decode = createDecoder(8);
    const session = /## A session\n\n```\n([\s\S]*?)```/.exec(text)![1]!;
    const sent = session
      .split(/\n(?=[<>])/)
      .filter((message) => message.startsWith('>'))
      .map((message) => decode(Buffer.from(message.slice(1).trim()), false));
    assert.deepEqual(
      sent.map((decoded) => (decoded.ok ? decoded.message.type : decoded.field)),
      ['hello', 'ack', 'telemetry', 'ack', 'cpuLoad'],
    );
    const wrong = sent.at(-1)!;
    assert.ok(!wrong.ok && session.includes(JSON.stringify(wrong.message)));
  });
});
