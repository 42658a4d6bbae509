/**
 * An ONNX file to a layer graph and a profile, in this process. The service runs it in a process of its
 * own (`importer.ts`): the runtime is native code that can take the whole process down.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImportRefused, type ImportResult } from '../control/ports.js';
import type { ProfileOptions } from '../core/profile.js';
import { type DecodedModel, readModel } from './decode.js';
import { type ChosenInput, chooseInputs, isOpen, makeFeeds } from './inputs.js';
import { formLayers, type Layering } from './layers.js';
import { spreadOf, timeLayers, withoutRecording } from './layerTimes.js';
import { DEFAULT_IMPORT_LIMITS, type ImportLimits } from './limits.js';
import { describeMachine } from './machine.js';
import { buildOperatorGraph, type OperatorGraph } from './operatorGraph.js';
import { eventsByRun } from './profileEvents.js';
import { readRuntimeGraph, type RuntimeGraph } from './runtimeGraph.js';
import { buildRuntimeModel, type RuntimeModel } from './runtimeModel.js';
import { runModel, type RunResult } from './session.js';
import { gatherTensorFacts } from './tensorFacts.js';

/** Name of what is being done, and how much of the whole is done (0 to 1). */
type Progress = (stage: string, fraction: number) => void;

/** The level whose fusions define the layers: beyond it the runtime changes layouts per machine. */
const LAYER_LEVEL = 'extended';

interface Work {
  readonly decoded: DecodedModel;
  readonly operators: OperatorGraph;
  readonly inputs: readonly ChosenInput[];
  readonly model: RuntimeModel;
  readonly feeds: ReturnType<typeof makeFeeds>;
  readonly options: ProfileOptions;
  readonly folder: string;
}

/**
 * Imports a model and profiles it on this machine.
 * @throws ImportRefused where the file cannot be imported; any other error is a failure of the importer
 */
export async function importModel(
  file: string,
  options: ProfileOptions,
  progress: Progress = () => undefined,
  limits: ImportLimits = DEFAULT_IMPORT_LIMITS,
): Promise<ImportResult> {
  checkOptions(options);
  progress('reading', 0);
  const decoded = await readModel(file, limits);
  const operators = buildOperatorGraph(decoded.graph);
  const inputs = chooseInputs(operators.inputs, options.inputs, limits);
  const folder = await mkdtemp(join(tmpdir(), 'cutpoint-import-'));
  const attempt = (fixShapes: boolean): Promise<ImportResult> => {
    const model = buildRuntimeModel(decoded, operators, inputs, fixShapes);
    return measure(
      { decoded, operators, inputs, model, feeds: makeFeeds(inputs), options, folder },
      progress,
    );
  };
  try {
    return await attempt(true);
  } catch (error) {
    // A few models have branches, never taken, that fit no fixed shape; they run with the shapes they declare.
    if (!(error instanceof ImportRefused) || error.code !== 'cannot-run' || !operators.inputs.some(isOpen)) {
      throw error;
    }
    return await attempt(false).catch(() => {
      throw error; // the first reason is the clearer one
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(work: Work, progress: Progress): Promise<ImportResult> {
  const { decoded, operators, inputs, options } = work;
  progress('measuring shapes', 0.1);
  const plain = await run(work, { level: 'disabled', warmupRuns: 0, runs: 1 });
  const facts = gatherTensorFacts(operators, inputs, plain.graph, plain.events[0] ?? [], plain.outputs);
  progress('forming layers', 0.3);
  const sameLevel = options.optimizationLevel === LAYER_LEVEL;
  const deployed = { level: options.optimizationLevel, warmupRuns: options.warmupRuns, runs: options.runs };
  const first = await run(work, sameLevel ? deployed : { level: LAYER_LEVEL, warmupRuns: 0, runs: 0 });
  const layering = formLayers(decoded.name, operators, first.graph, facts);
  progress('profiling', 0.5);
  const measured = sameLevel ? first : await run(work, deployed);
  progress('timing the whole model', 0.8);
  return finish(work, layering, measured);
}

type RecordedRun = RunResult & {
  readonly graph: RuntimeGraph;
  readonly events: ReturnType<typeof eventsByRun>;
};

async function run(
  work: Work,
  request: Pick<Parameters<typeof runModel>[2], 'level' | 'warmupRuns' | 'runs'>,
): Promise<RecordedRun> {
  const { model, feeds, options, folder } = work;
  const result = await runModel(
    model,
    feeds,
    { ...request, intraOpThreads: options.intraOpThreads, record: true },
    folder,
  );
  if (result.optimizedModel === null || result.profileJson === null)
    throw new Error('the runtime kept no record');
  return {
    ...result,
    graph: readRuntimeGraph(result.optimizedModel, Object.keys(feeds)),
    events: eventsByRun(result.profileJson),
  };
}

/** The whole model is timed apart, since recording each node takes time itself. */
async function finish(work: Work, layering: Layering, measured: RecordedRun): Promise<ImportResult> {
  const { decoded, operators, model, feeds, options, folder } = work;
  const times = timeLayers(operators, layering, measured.graph, measured.events.slice(options.warmupRuns));
  const { optimizationLevel: level, intraOpThreads, warmupRuns, runs } = options;
  const whole = await runModel(
    model,
    feeds,
    { level, intraOpThreads, warmupRuns, runs, record: false },
    folder,
  );
  const wholeModel = spreadOf(whole.seconds);
  return {
    graph: layering.graph,
    profile: {
      modelSha256: decoded.sha256,
      machine: describeMachine(),
      options,
      layers: withoutRecording(times.layers, wholeModel),
      wholeModel,
    },
  };
}

function checkOptions(options: ProfileOptions): void {
  const whole = (name: 'runs' | 'warmupRuns' | 'intraOpThreads', least: number, most: number): void => {
    const value = options[name];
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new ImportRefused(
        'bad-options',
        `${name} must be a whole number from ${least} to ${most}, not ${value}.`,
      );
    }
  };
  whole('runs', 1, 10_000);
  whole('warmupRuns', 0, 1000);
  whole('intraOpThreads', 1, 256);
  for (const [name, { fill }] of Object.entries(options.inputs)) {
    if (fill !== undefined && !Number.isFinite(fill)) {
      throw new ImportRefused('bad-options', `inputs.${name}.fill must be a finite number.`);
    }
  }
}
