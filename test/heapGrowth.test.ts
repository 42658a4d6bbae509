/** The heap grows as far as it is let: the collector looks through all of it the less often. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

/** Full collections while garbage that has grown old piles up beside 40 MB that stay. */
function fullCollections(percent: number): number {
  const program = `
    import { constants, PerformanceObserver } from 'node:perf_hooks';
    import { letHeapGrow } from '${new URL('../src/heapGrowth.js', import.meta.url).href}';
    letHeapGrow(${percent});
    let full = 0;
    const observer = new PerformanceObserver((list) => {
      for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) full++;
    });
    observer.observe({ entryTypes: ['gc'] });
    const stays = Array.from({ length: 400 }, () => new Array(12_500).fill(0));
    const passes = [];
    for (let i = 0; i < 3_000; i++) {
      passes[i % 100] = new Array(12_500).fill(i);
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    console.log(full + 0 * stays.length);
  `;
  const args = ['--input-type=module', '--max-old-space-size=1000', '--eval', program];
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

test('the whole heap is collected less often the more it may grow', () => {
  const [rarely, often] = [fullCollections(400), fullCollections(20)];
  assert.ok(rarely > 0 && often >= 2 * rarely, `${rarely} times at 400 %, ${often} at 20 %`);
});
