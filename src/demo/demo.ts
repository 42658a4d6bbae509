/**
 * The demo: a controller with a temporary database, a fleet of devices in processes of their own, and a view of
 * what is decided. Whatever ends it, nothing is left behind: no process, no folder, no changed terminal.
 */
import { rmSync } from 'node:fs';
import { access, constants, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { renderChart } from './chart.js';
import { controllerApi, type ControllerApi } from './controllerApi.js';
import { startController } from './controllerProcess.js';
import { startFleet, type Fleet } from './fleet.js';
import type { DeviceFigures } from './fleetFigures.js';
import { planFleet, type FleetPlan } from './fleetPlan.js';
import { createObserver, type Observer } from './observer.js';
import { createScreen, type Screen } from './screen.js';
import { deployAll, importModels } from './stage.js';
import { summarize, summaryLines, type DemoSummary } from './summary.js';
import { parseTrace, TraceError } from './trace.js';

export interface DemoOptions {
  readonly seconds: number;
  readonly devices: number;
  readonly seed: number;
  /** A recording instead of the link models. */
  readonly traceFile: string | null;
  readonly chartFile: string;
  readonly jsonFile: string | null;
  readonly output: NodeJS.WriteStream;
}

const telemetryIntervalMs = 500;
const pollMs = 400;
const welcomeTimeoutMs = 20_000;

/** What has to be undone, the newest first; each step is tried whatever becomes of the others. */
type Undo = () => Promise<void>;

/**
 * Runs the demo to its end.
 * @param signal interrupts it; what was started is ended before the promise settles
 */
export async function runDemo(options: DemoOptions, signal: AbortSignal): Promise<DemoSummary> {
  const notes = await traceNotes(options.traceFile);
  for (const file of [options.chartFile, options.jsonFile]) if (file !== null) await requireFolder(file);
  const undo: Undo[] = [];
  const screen = createScreen(options.output);
  try {
    return await perform(options, notes, screen, undo, signal);
  } finally {
    screen.close();
    for (const step of undo.reverse()) await step().catch((error: unknown) => reportLeftover(error));
  }
}

function reportLeftover(error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`cutpoint: while cleaning up: ${reason}\n`);
}

async function perform(
  options: DemoOptions,
  notes: readonly string[],
  screen: Screen,
  undo: Undo[],
  signal: AbortSignal,
): Promise<DemoSummary> {
  const folder = await mkdtemp(join(tmpdir(), 'cutpoint-demo-'));
  // The way out of a crash, or of a reader that closed the pipe, runs nothing that waits.
  const atExit = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', atExit);
  undo.push(async () => {
    await rm(folder, { recursive: true, force: true });
    process.removeListener('exit', atExit);
  });
  screen.progress('starting the controller', 0.02);
  const controller = await startController(folder, telemetryIntervalMs);
  undo.push(() => controller.stop());
  const api = controllerApi(controller.origin, controller.adminKey, signal);
  const plan = planFleet(options.devices, options.seed);
  const orController = <T>(work: Promise<T>): Promise<T> => Promise.race([work, controller.ended]);

  const models = await orController(
    importModels(api, plan, folder, signal, (what, fraction) => {
      screen.progress(what, 0.05 + 0.8 * fraction);
    }),
  );
  const refusals: string[] = [];
  const tokens = await orController(tokensOf(api, plan));
  const fleet = startFleet(controller.origin.replace('http', 'ws'), plan, tokens, options.traceFile, {
    welcomed: (count, of) => {
      if (count <= of) screen.progress('connecting devices', 0.85 + (0.1 * count) / of);
    },
    refused: (message) => {
      if (refusals.length < 5) refusals.push(message);
    },
  });
  undo.push(() => fleet.stop());
  await orController(welcomed(fleet, refusals, signal));
  screen.progress('first decisions', 0.97);
  const startMs = Date.now(); // decisions say their time of day
  const startedMs = performance.now();
  const linkName = traceName(options.traceFile);
  const followed = await orController(deployAll(api, plan, models, (end) => linkName ?? end.link, signal));

  const observer = createObserver(api, followed, startMs);
  const watch = { options, api, observer, screen, plan, notes, startedMs, signal };
  const frames = await orController(watchRun(watch));
  screen.close();
  // The fleet goes first: nothing may be decided between the last figures and the end.
  await fleet.stop();
  await observer.update();
  return conclude(options, plan, observer.devices(), frames, [
    ...notes,
    ...refusals.map((text) => `refused: ${text}`),
  ]);
}

/** By device id. */
async function tokensOf(api: ControllerApi, plan: FleetPlan): Promise<Record<string, string>> {
  const tokens: Record<string, string> = {};
  for (const { deviceId } of [...plan.edges, ...plan.ends])
    tokens[deviceId] = await api.deviceToken(deviceId);
  return tokens;
}

async function welcomed(fleet: Fleet, refusals: readonly string[], signal: AbortSignal): Promise<void> {
  const late = sleep(welcomeTimeoutMs, undefined, { signal }).then(() => {
    throw new DemoFailure(
      `not every device could connect${refusals.length > 0 ? `: ${refusals.join('; ')}` : ''}`,
    );
  });
  // Only one of the two is waited for; an interrupt of the other is told by the first.
  late.catch(() => undefined);
  await Promise.race([fleet.connected, late]);
}

interface Watch {
  readonly options: DemoOptions;
  readonly api: ControllerApi;
  readonly observer: Observer;
  readonly screen: Screen;
  readonly plan: FleetPlan;
  readonly notes: readonly string[];
  readonly startedMs: number;
  readonly signal: AbortSignal;
}

/** Shows what is decided until the time is over; returns the frames that the controller accepted. */
async function watchRun(watch: Watch): Promise<number> {
  const { options, api, observer, screen, startedMs, signal } = watch;
  for (;;) {
    const [metrics] = await Promise.all([api.metrics(), observer.update()]);
    const elapsedSeconds = Math.min(options.seconds, (performance.now() - startedMs) / 1000);
    const frames = metrics.get('cutpoint_telemetry_frames_total{outcome="accepted"}') ?? 0;
    screen.show({
      elapsedSeconds,
      totalSeconds: options.seconds,
      controllerUrl: api.url,
      devices: observer.devices(),
      connected: {
        end: metrics.get('cutpoint_connected_devices{role="end"}') ?? 0,
        edge: metrics.get('cutpoint_connected_devices{role="edge"}') ?? 0,
      },
      frames,
      notes: watch.notes,
    });
    if (elapsedSeconds >= options.seconds) return frames;
    await sleep(Math.min(pollMs, 1000 * (options.seconds - elapsedSeconds)), undefined, { signal });
  }
}

async function conclude(
  options: DemoOptions,
  plan: FleetPlan,
  devices: readonly DeviceFigures[],
  frames: number,
  notes: readonly string[],
): Promise<DemoSummary> {
  // A decision that fell behind the end of the run is not part of it.
  const within = devices.map((device) => ({
    ...device,
    points: device.points.filter((point) => point.atSeconds <= options.seconds),
  }));
  const summary = summarize(within, {
    seconds: options.seconds,
    seed: options.seed,
    links: options.traceFile ?? 'model',
    notes,
    edges: plan.edges.length,
    frames,
  });
  const lines = summaryLines(summary);
  await writeFile(
    options.chartFile,
    renderChart({ seconds: options.seconds, devices: within, subtitle: lines.slice(0, 3) }),
  );
  if (options.jsonFile !== null) await writeFile(options.jsonFile, `${JSON.stringify(summary, null, 2)}\n`);
  options.output.write(
    [
      ...lines,
      `chart: ${options.chartFile}`,
      ...(options.jsonFile === null ? [] : [`summary: ${options.jsonFile}`]),
      '',
    ].join('\n'),
  );
  return summary;
}

/** Half a minute should not end in a file that cannot be written. */
async function requireFolder(file: string): Promise<void> {
  const folder = dirname(file);
  await access(folder, constants.W_OK).catch(() => {
    throw new DemoFailure(`${file} cannot be written: ${folder} is no folder that may be written to`);
  });
}

/** Checks the recording before anything is started; what it leaves open is told. */
async function traceNotes(traceFile: string | null): Promise<readonly string[]> {
  if (traceFile === null) return [];
  try {
    return parseTrace(await readFile(traceFile, 'utf8')).assumed;
  } catch (error) {
    if (error instanceof TraceError) throw new DemoFailure(`${traceFile}: ${error.message}`);
    throw error;
  }
}

function traceName(traceFile: string | null): string | null {
  return traceFile === null ? null : basename(traceFile, '.csv');
}

/** The demo cannot go on; the message says why. */
class DemoFailure extends Error {
  override readonly name = 'DemoFailure';
  readonly code = 'demo-failure';
}
