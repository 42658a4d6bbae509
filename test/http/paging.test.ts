/** Pages of long lists: each entry once, in order, without sorting all of them for each page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { page } from '../../src/http/paging.js';

test('pages have each entry once, in the order of ids, and the last one says so', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      (ids, limit) => {
        const read: string[] = [];
        let after: string | undefined;
        for (;;) {
          const { entries, next } = page(ids, (id) => id, { limit, after });
          read.push(...entries);
          assert.ok(entries.length <= limit);
          if (next === null) break;
          assert.equal(entries.length, limit, 'only the last page is short');
          after = next;
        }
        assert.deepEqual(read, [...ids].sort(byCode));
      },
    ),
  );
});

test('a page of many entries looks at each a few times, not as often as sorting all does', () => {
  const count = 50_000;
  const ids = Array.from({ length: count }, (_, i) => ((i * 7919) % count).toString().padStart(6, '0'));
  let looks = 0;
  const idOf = (id: string): string => {
    looks++;
    return id;
  };
  const { entries, next } = page(ids, idOf, { limit: 100, after: '020000' });
  assert.deepEqual([entries[0], entries.at(-1), next], ['020001', '020100', '020100']);
  assert.ok(looks < 2 * count, `${looks} looks`);
});

function byCode(a: string, b: string): number {
  return a < b ? -1 : 1;
}
