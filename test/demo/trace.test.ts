import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createTraceLink, parseTrace, TraceError } from '../../src/demo/trace.js';

const header = 't_s,uplink_bps,downlink_bps,rtt_ms,loss';
const refusal = (text: string): string => {
  try {
    parseTrace(text);
  } catch (error) {
    if (error instanceof TraceError) return error.message;
    throw error;
  }
  return 'accepted';
};

test('what is wrong with a trace is told by line and column', () => {
  assert.equal(refusal('time,rate\n0,1\n'), `line 1: the header must be "${header}"`);
  assert.equal(
    refusal(`${header}\n0,1,1,,\n1,x,1,,\n`),
    'line 3: uplink_bps must be a number from 0 to 1000000000000000000 or empty, not "x"',
  );
  assert.equal(refusal(`${header}\n0,1,1,,\n1,1,1\n`), 'line 3: 3 fields, but the header names 5');
  assert.equal(refusal(`${header}\n0,1,1,,\n0,1,1,,\n`), 'line 3: t_s 0 does not come after 0');
  assert.equal(refusal(`${header}\n,1,1,,\n`), 'line 2: t_s is empty');
  assert.equal(
    refusal(`${header}\n0,1,1,-5,\n`),
    'line 2: rtt_ms must be a number from 0 to 1000000000000000000 or empty, not "-5"',
  );
  assert.equal(
    refusal(`${header}\n0,1,1,,1.2\n`),
    'line 2: loss must be a number from 0 to 1 or empty, not "1.2"',
  );
  assert.equal(refusal(`${header}\n0,1,1,,\n`), 'a trace needs at least two rows below its header');
  assert.equal(
    refusal(`${header}\n0,,,5,\n1,,,5,\n`),
    'neither uplink_bps nor downlink_bps is measured in any row',
  );
});

test('a replay holds the last measured value, wraps around, and starts where it is told', () => {
  const trace = parseTrace(`${header}\r\n0,100,10,20,\r\n1,200,,,0.1\r\n2,0,30,,\r\n`);
  assert.deepEqual(trace.assumed, []);
  const link = createTraceLink(trace, 0);
  assert.deepEqual(link.advance(0.5), {
    uplinkBitsPerSecond: 100,
    downlinkBitsPerSecond: 10,
    rttSeconds: 0.02,
  });
  assert.deepEqual(link.advance(0.5), {
    uplinkBitsPerSecond: 200,
    downlinkBitsPerSecond: 10,
    rttSeconds: 0.02,
  });
  assert.deepEqual(link.advance(1), { uplinkBitsPerSecond: 0, downlinkBitsPerSecond: 30, rttSeconds: 0.02 });
  assert.equal(link.advance(1).uplinkBitsPerSecond, 100);
  assert.equal(createTraceLink(trace, 4).advance(0.5).uplinkBitsPerSecond, 200);
});

test('a direction that was never measured is stood in for, and said', () => {
  const trace = parseTrace(`${header}\n0,,100,,\n1,,200,,\n`);
  assert.equal(trace.rows[0]?.uplinkBitsPerSecond, 100);
  assert.match(trace.assumed.join('\n'), /no uplink.*\n.*no round trip/);
  assert.deepEqual(createTraceLink(trace, 0).advance(1), {
    uplinkBitsPerSecond: 200,
    downlinkBitsPerSecond: 200,
  });
});

const shared = new URL('../../../../shared/traces/', import.meta.url).pathname;
test(
  'real recordings are read',
  {
    skip: existsSync(shared) ? false : 'no ../shared/traces beside the project: real recordings are not read',
  },
  () => {
    const files = readdirSync(shared).filter((name) => name.endsWith('.csv'));
    assert.ok(files.length > 0);
    for (const file of files) {
      const trace = parseTrace(readFileSync(join(shared, file), 'utf8'));
      const sample = createTraceLink(trace, 10).advance(1);
      assert.ok(sample.uplinkBitsPerSecond !== undefined, file);
    }
  },
);
