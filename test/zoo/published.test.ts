import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { published } from '../../src/zoo/published.js';
import { buildZooModel, zooNames } from '../../src/zoo/zoo.js';

test("the MACs of the U-Net follow from the sizes printed in the paper's Figure 1", () => {
  const conv = (size: number, from: number, to: number, kernel: number) => size ** 2 * from * to * kernel;
  const contracting = [
    [570, 568, 1, 64],
    [282, 280, 64, 128],
    [138, 136, 128, 256],
    [66, 64, 256, 512],
    [30, 28, 512, 1024],
  ] as const;
  const expanding = [
    [56, 54, 52, 512],
    [104, 102, 100, 256],
    [200, 198, 196, 128],
    [392, 390, 388, 64],
  ] as const;
  let macs = conv(388, 64, 2, 1);
  for (const [first, second, from, to] of contracting)
    macs += conv(first, from, to, 9) + conv(second, to, to, 9);
  for (const [up, first, second, to] of expanding) {
    // Of a 2x2 up-convolution of stride 2, each output pixel takes one of the four positions of the kernel.
    macs += conv(up, 2 * to, to, 1) + conv(first, 2 * to, to, 9) + conv(second, to, to, 9);
  }
  assert.equal(published.unet.macs, macs);
  assert.equal(buildZooModel('unet', { weights: 'constant' }).counted.macs, macs);
});

test('each figure has a source', () => {
  assert.deepEqual(Object.keys(published).sort(), [...zooNames].sort());
  for (const { source } of Object.values(published)) assert.match(source, /torchvision|arXiv|pjreddie/);
});

test('the table of docs/zoo.md is what the code counts', async () => {
  const text = await readFile(new URL('../../../docs/zoo.md', import.meta.url), 'utf8');
  const lines = text.split('\n').map((line) => line.replaceAll(/\s+/g, ' ').trim());
  const missing = zooNames.map(tableRow).filter((row) => !lines.includes(row));
  assert.deepEqual(missing, [], 'put these rows into the table');
});

function tableRow(name: string): string {
  const random = buildZooModel(name);
  const constant = buildZooModel(name, { weights: 'constant' });
  const inputs = random.inputs
    .map((input) => `${input.name}: ${input.type} ${input.shape.join('x')}`)
    .join('; ');
  const cells = [
    `\`${name}\``,
    random.title,
    inputs,
    random.counted.parameters.toLocaleString('en-US'),
    (random.counted.macs / 1e9).toFixed(3),
    (random.published.macs / 1e9).toFixed(3),
    `${(random.byteLength / 1e6).toFixed(1)} MB`,
    `${(constant.byteLength / 1e3).toFixed(0)} KB`,
    random.published.source,
  ];
  return `| ${cells.join(' | ')} |`;
}
