import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger, type Stored } from './ledger.js';

const stored = (
  version: number | null,
  cuts: Readonly<Record<number, string>>,
  latencySeconds: number | null = null,
): Stored => ({
  deployments: new Map(version === null ? [] : [['d', { version, latencySeconds }]]),
  cuts: new Map([['d', new Map(Object.entries(cuts).map(([key, cut]) => [Number(key), cut]))]]),
});

const seen = (ledger: Ledger, version: number, cut: string, by = 'camera') =>
  ledger.seen({ deploymentId: 'd', version, cut, by });

function kinds(use: (ledger: Ledger) => void): string[] {
  const ledger = new Ledger();
  use(ledger);
  return ledger.contradictions.map(({ kind }) => kind);
}

test('what is stored as it was seen is no contradiction', () => {
  const found = kinds((ledger) => {
    ledger.created('d');
    seen(ledger, 1, 'a');
    seen(ledger, 1, 'a', 'edge');
    seen(ledger, 3, 'b');
    ledger.ack('d', 3);
    ledger.compare(stored(4, { 1: 'a', 2: 'c', 3: 'b', 4: 'a' }), false);
    ledger.compare(stored(4, { 1: 'a', 2: 'c', 3: 'b', 4: 'a' }), true);
  });
  assert.deepEqual(found, []);
});

test('each contradiction is found', () => {
  const cases: readonly (readonly [string, (ledger: Ledger) => void])[] = [
    ['meaning-changed', (ledger) => [seen(ledger, 1, 'a'), seen(ledger, 1, 'b', 'edge')]],
    ['went-back', (ledger) => [seen(ledger, 2, 'a'), seen(ledger, 1, 'b')]],
    ['went-back', (ledger) => [stored(3, {}), stored(2, {})].forEach((one) => ledger.compare(one, false))],
    ['version-lost', (ledger) => [seen(ledger, 2, 'b'), ledger.compare(stored(1, { 1: 'a' }), false)]],
    [
      'acknowledged-lost',
      (ledger) => [seen(ledger, 2, 'b'), ledger.ack('d', 2), ledger.compare(stored(1, { 1: 'a' }), false)],
    ],
    ['other-cut-stored', (ledger) => [seen(ledger, 1, 'b'), ledger.compare(stored(1, { 1: 'a' }), false)]],
    ['deployment-lost', (ledger) => [ledger.created('d'), ledger.compare(stored(null, {}), false)]],
    [
      'deployment-back',
      (ledger) => [ledger.created('d'), ledger.deleted('d', 'done'), ledger.compare(stored(1, {}), false)],
    ],
    [
      'change-lost',
      (ledger) => {
        ledger.answered(ledger.asked('d', 1), 'done');
        ledger.answered(ledger.asked('d', 2), 'done');
        ledger.compare(stored(1, {}, 1), false);
      },
    ],
    [
      'refused-change-done',
      (ledger) => {
        ledger.answered(ledger.asked('d', 1), 'refused');
        ledger.compare(stored(1, {}, 1), false);
      },
    ],
  ];
  for (const [kind, use] of cases) assert.deepEqual(kinds(use), [kind]);
});

test('a change whose answer got lost may be there or not, and does not come back later', () => {
  const started = (ledger: Ledger) => {
    ledger.answered(ledger.asked('d', 1), 'done');
    ledger.answered(ledger.asked('d', 2), 'unknown');
  };
  for (const there of [1, 2]) {
    const found = kinds((ledger) => [started(ledger), ledger.compare(stored(1, {}, there), false)]);
    assert.deepEqual(found, []);
  }
  const found = kinds((ledger) => {
    started(ledger);
    ledger.answered(ledger.asked('d', 3), 'done');
    ledger.compare(stored(1, {}, 2), false);
  });
  assert.deepEqual(found, ['change-lost']);
});
