/** The models of the benchmark and their profiles, taken by the importer once per machine and kept in the temporary folder. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { hashOfImporter } from '../../src/cli/profileCache.js';
import { ImportRefused, type ImportResult } from '../../src/control/ports.js';
import type { LayerGraph } from '../../src/core/layerGraph.js';
import type { ProfileOptions } from '../../src/core/profile.js';
import { createImporter } from '../../src/onnx/importer.js';
import { inspectModel } from '../../src/onnx/inspectModel.js';
import { packageRoot } from '../../src/packageRoot.js';
import { writeZooModel, zooNames } from '../../src/zoo/zoo.js';
import { syntheticModel } from './synthetic.js';

export interface Entry {
  readonly name: string;
  readonly source: 'zoo' | 'shared' | 'synthetic';
  /** Null for what is made here: a network of the zoo, or a synthetic graph. */
  readonly file: string | null;
  readonly inputs: ProfileOptions['inputs'];
}

/** Where models and traces that are not part of the project lie, if at all. */
export const sharedFolder = join(packageRoot(), '..', 'shared');

/** Small and quick to profile, of every kind: chains, blocks, many states. */
const quickNames = new Set([
  'resnet-18',
  'squeezenet-1.1',
  'googlenet',
  'mobilenet-v2',
  'efficientnet-b0',
  'dtln_2',
  'nanodet_m',
  'ultraface_rfb320',
  'ppocr4_det',
]);

/** Parallel chains, too many cuts to hold: 21 to the power of 20. */
const tooMany = { name: 'chains-20x20', shape: { blocks: 1, width: 20, length: 20 } } as const;

/** The zoo, then all models of the shared folder that is there, then a graph whose states are too many to hold. */
export function catalogue(quick: boolean, only: readonly string[]): Entry[] {
  const zoo = zooNames.map((name): Entry => ({ name, source: 'zoo', file: null, inputs: {} }));
  const folder = join(sharedFolder, 'models');
  const files = [folder, join(folder, 'edge')]
    .filter((each) => existsSync(each))
    .flatMap((each) => readdirSync(each).map((file) => join(each, file)))
    .filter((file) => file.endsWith('.onnx'));
  const shapes = existsSync(join(folder, 'shapes.json'))
    ? (JSON.parse(readFileSync(join(folder, 'shapes.json'), 'utf8')) as Record<
        string,
        ProfileOptions['inputs']
      >)
    : {};
  const shared = files.map((file): Entry => {
    const name = basename(file, '.onnx');
    return { name, source: 'shared', file, inputs: shapes[name] ?? {} };
  });
  const synthetic: Entry = { name: tooMany.name, source: 'synthetic', file: null, inputs: {} };
  const all = [...zoo, ...shared, synthetic];
  if (only.length > 0) return all.filter(({ name }) => only.includes(name));
  return quick ? all.filter(({ name, source }) => source === 'synthetic' || quickNames.has(name)) : all;
}

/** Few runs: the search does not care how exact its seconds are, only that they are those of the model. */
const profileOptions = { optimizationLevel: 'extended', intraOpThreads: 1, runs: 1, warmupRuns: 0 } as const;

/** What is measured of a model: its graph, and the seconds of each layer. */
export interface Measured {
  readonly graph: LayerGraph;
  readonly seconds: readonly number[];
}

/** @throws ImportRefused, where the importer refuses it; Error where it fails */
export async function loadEntry(entry: Entry): Promise<Measured> {
  if (entry.source === 'synthetic') return syntheticModel(tooMany.name, tooMany.shape, 31);
  const { graph, profile } = await loadModel(entry);
  return { graph, seconds: profile.layers.map((layer) => layer.medianSeconds) };
}

async function loadModel(entry: Entry): Promise<ImportResult> {
  const folder = join(tmpdir(), 'cutpoint-bench-profiles');
  const identity = entry.file === null ? `zoo ${entry.name}` : readFileSync(entry.file);
  const key = createHash('sha256')
    .update(identity)
    .update(JSON.stringify([await hashOfImporter(), entry.inputs, profileOptions, cpus()[0]?.model]))
    .digest('hex');
  const kept = join(folder, `${key}.json`);
  if (existsSync(kept)) return JSON.parse(await readFile(kept, 'utf8')) as ImportResult;
  const result = await importEntry(entry);
  await mkdir(folder, { recursive: true });
  await writeFile(`${kept}.${process.pid}`, JSON.stringify(result));
  await rename(`${kept}.${process.pid}`, kept);
  return result;
}

async function importEntry({ name, file, inputs }: Entry): Promise<ImportResult> {
  const scratch = await mkdtemp(join(tmpdir(), 'cutpoint-bench-'));
  const importer = createImporter();
  try {
    const path = file ?? join(scratch, `${name}.onnx`);
    if (file === null) await writeZooModel(name, path, { weights: 'constant' });
    return await importer.import(path, { ...profileOptions, inputs: await shapesFor(path, inputs) }, {});
  } finally {
    await importer.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What is given; for other inputs that leave only the batch open, one item. */
async function shapesFor(path: string, given: ProfileOptions['inputs']): Promise<ProfileOptions['inputs']> {
  const { shapesNeeded } = await inspectModel(path);
  const suggested = Object.entries(shapesNeeded).flatMap(([name, shape]) =>
    shape === null ? [] : [[name, { shape }] as const],
  );
  return { ...Object.fromEntries(suggested), ...given };
}

export function refusalOf(error: unknown): string {
  if (error instanceof ImportRefused) return `refused: ${error.message}`;
  return `failed: ${error instanceof Error ? error.message : String(error)}`;
}
