import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import pc from 'picocolors';
import { cutBar, renderView, type ViewState } from '../../src/demo/view.js';
import { sampleFleet } from './fleetSample.js';

const state: ViewState = {
  elapsedSeconds: 12,
  totalSeconds: 30,
  controllerUrl: 'http://127.0.0.1:41231',
  devices: sampleFleet(6, 12),
  connected: { end: 6, edge: 2 },
  frames: 200,
  notes: ['a note that is long enough to be cut off at the right edge of a terminal of eighty columns'],
};

test('no line is wider than the terminal, with colours or without', () => {
  for (const columns of [80, 100, 140, 200]) {
    for (const color of [true, false]) {
      for (const line of renderView(state, columns, 50, pc.createColors(color))) {
        const width = stripVTControlCharacters(line).length;
        assert.ok(width <= columns, `${width} > ${columns}: ${line}`);
      }
    }
  }
});

test('each device shows its cut, the two simple answers and the search time', () => {
  const text = renderView(state, 80, 50, pc.createColors(false)).join('\n');
  for (const device of state.devices) assert.ok(text.includes(device.deviceId));
  assert.match(text, /62\|0 .* ms .* ms .* µs/);
  assert.match(text, /6 end devices, 2 edges · 200 frames · 144 decisions/);
});

test('devices that do not fit are counted', () => {
  const lines = renderView({ ...state, notes: [] }, 80, 16, pc.createColors(false));
  assert.ok(lines.length <= 16, `${lines.length} lines`);
  assert.match(lines.join('\n'), /… \d more/);
});

test('the bar shows a block of each side that has a layer', () => {
  const plain = pc.createColors(false);
  assert.equal(cutBar(0, 100, 10, plain), '░'.repeat(10));
  assert.equal(cutBar(1, 100, 10, plain), `█${'░'.repeat(9)}`);
  assert.equal(cutBar(99, 100, 10, plain), `${'█'.repeat(9)}░`);
  assert.equal(cutBar(100, 100, 10, plain), '█'.repeat(10));
});
