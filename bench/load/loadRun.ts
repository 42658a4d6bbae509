/** One run: fleet and deployments, ceiling and maximum in turns, half of it, twice of it, a restart. */
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { writeZooModel } from '../../src/zoo/zoo.js';
import { Ceiling, Clients, controllerTarget, Search, trial, type Target } from './bench.js';
import { collectedSince } from './collections.js';
import { Controller, settings } from './controller.js';
import type { Effort } from './effort.js';
import type { Running } from './device.js';
import type { FleetPlan } from './fleet.js';
import { summarise } from '../profileSummary.js';
import type { LoadReport, Trial } from './results.js';

type Figures = Omit<LoadReport, 'takenAt' | 'quick' | 'seconds' | 'machine'>;
type Say = (text: string) => void;
type Returned = { lost: number; welcome: number; firstAtMs: number; lastAtMs: number; replays: number };

const seed = 20_240_117;
/** What is asked of the deployments, in turns. */
const asked = [{}, { latencySeconds: 0.15 }, { objective: { perLatencySecond: 1, perEnergyJoule: 0.2 } }];
const requestsAtOnce = 8;

/** Calls `work` with 0 to `count` - 1, some at once. */
async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: requestsAtOnce }, worker));
}

/** From the first quarter of the samples to the last, each by its median: garbage comes and goes in between. */
function growthOf(samples: readonly number[]): number {
  const quarter = Math.ceil(samples.length / 4);
  const median = (of: readonly number[]): number => [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)]!;
  return median(samples.slice(-quarter)) - median(samples.slice(0, quarter));
}

export class LoadRun {
  readonly #trials: Trial[] = [];
  #controller: Controller | null = null;
  #clients: Clients | null = null;
  #ceiling: Ceiling | null = null;

  constructor(
    private readonly effort: Effort,
    private readonly traces: readonly { readonly name: string; readonly text: string }[],
    private readonly folder: string,
    private readonly say: Say,
  ) {}

  async measure(): Promise<Figures> {
    const { effort, say } = this;
    const controller = (this.#controller = await Controller.start(this.folder));
    const { models, baseRates } = await this.#models(controller);
    await sleep(1000);
    const empty = await controller.figures();
    const plan: FleetPlan = {
      address: controller.address,
      isBare: false,
      pairs: effort.pairs,
      probes: effort.probes,
      probeCutsPerSecond: effort.probeCutsPerSecond,
      baseRates,
      traces: this.traces.map(({ text }) => text),
      seed,
    };
    const clients = (this.#clients = await Clients.start(plan));
    const seconds = await clients.remote.call<number>('connect');
    say(`${2 * effort.pairs} devices connected in ${seconds.toFixed(1)} s`);
    await this.#deploy(
      controller,
      models.map(({ id }) => id),
    );
    const connected = await controller.figures();
    const target = controllerTarget(controller, clients);
    this.#ceiling = await Ceiling.start(plan);
    const { ceiling, maximum } = await this.#searchBoth(target, this.#ceiling.target);
    await this.#ceiling.stop();
    this.#ceiling = null;
    const half = await this.#half(controller, target, maximum.servedPerSecond / 2);
    const afterHalf = await controller.figures();
    const profile = await this.#profile(controller, target, 0.9 * maximum.servedPerSecond);
    const overload = await this.#overload(controller, target, maximum.servedPerSecond);
    const reconnect = await this.#restart(controller, clients);
    return {
      settings,
      devices: 2 * effort.pairs,
      deployments: effort.pairs,
      models: models.map(({ name, layers }) => ({ name, layers })),
      links: { recordings: this.traces.map(({ name }) => name) },
      ceiling: { framesPerSecond: ceiling.servedPerSecond },
      maximum: {
        framesPerSecond: maximum.servedPerSecond,
        share: maximum.servedPerSecond / ceiling.servedPerSecond,
        decisionsPerSecond: maximum.servedPerSecond,
        cutsPerSecond: maximum.clients.cuts / maximum.clients.seconds,
      },
      half,
      probeCutsPerSecond: effort.probeCutsPerSecond,
      overload,
      rssPerDeviceBytes: (afterHalf.rssBytes - empty.rssBytes) / (2 * effort.pairs),
      memory: { empty, connected, afterHalf },
      reconnect,
      profile,
      trials: this.#trials,
      refusals: await clients.remote.call('refusals'),
    };
  }

  async stop(): Promise<void> {
    await this.#ceiling?.stop();
    await this.#clients?.stop();
    await this.#controller?.stop();
  }

  async #models(controller: Controller) {
    const models: { id: string; name: string; layers: number }[] = [];
    const baseRates: number[] = [];
    for (const name of this.effort.models) {
      const file = join(this.folder, `${name}.onnx`);
      await writeZooModel(name, file, { weights: 'constant' });
      const id = await controller.importModel(name, await readFile(file));
      const { graph, profile } = await controller.modelFacts(id);
      models.push({ id, name, layers: graph.layers.length });
      // the rate at which a tensor of mean size takes as long as the model does on an end device
      const seconds = 6 * profile.layers.reduce((sum, layer) => sum + layer.medianSeconds, 0);
      const bytes = graph.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0) / graph.tensors.length;
      baseRates.push((8 * bytes) / seconds);
      this.say(
        `model ${name}: ${graph.layers.length} layers, links around ${(baseRates.at(-1)! / 1e6).toFixed(0)} Mbit/s`,
      );
    }
    return { models, baseRates };
  }

  async #deploy(controller: Controller, modelIds: readonly string[]): Promise<void> {
    const { pairs, probes } = this.effort;
    const startedAt = performance.now();
    await inParallel(pairs, (pair) =>
      controller.deploy({
        modelId: modelIds[pair % modelIds.length]!,
        end: { deviceId: `end-${pair}` },
        edge: { deviceId: `edge-${pair}` },
        requirements: pair < probes ? {} : asked[pair % asked.length]!,
      }),
    );
    await this.#agreed(controller, 'active');
    this.say(
      `${pairs} deployments made and decided in ${((performance.now() - startedAt) / 1e3).toFixed(1)} s`,
    );
  }

  /** Waits until every deployment is active and both its devices report the version desired; how many are not, at the end. */
  async #agreed(controller: Controller, what: string, seconds = 60): Promise<number> {
    const until = performance.now() + 1e3 * seconds;
    for (;;) {
      const all = await controller.deployments();
      const left = all.filter(
        ({ version, reported, status }) =>
          status.kind !== what || version === 0 || reported.end !== version || reported.edge !== version,
      );
      if (left.length === 0) return 0;
      if (performance.now() > until) {
        this.say(`${left.length} deployments do not agree, e.g. ${JSON.stringify(left[0])}`);
        return left.length;
      }
      await sleep(500);
    }
  }

  async #searchBoth(target: Target, ceiling: Target): Promise<{ ceiling: Trial; maximum: Trial }> {
    const { trials, trialSeconds, warmUpSeconds, firstGuess } = this.effort;
    this.#note(await trial(target, firstGuess / 4, warmUpSeconds), 'warm-up');
    await trial(ceiling, firstGuess / 4, warmUpSeconds / 4);
    const searches = [ceiling, target].map(
      (each, i) => new Search(each, firstGuess * (2 - i), (result) => this.#note(result, 'search')),
    );
    for (let i = 0; i < trials; i++) {
      for (const search of searches) if (!search.isDone) await search.step(trialSeconds);
    }
    const [best, ours] = searches.map((search) => search.best);
    if (!best || !ours) throw new Error('no load was offered');
    return { ceiling: best, maximum: ours };
  }

  async #half(controller: Controller, target: Target, offeredPerSecond: number): Promise<Figures['half']> {
    // devices that were silent for some time all have news at once, which is not what half of the maximum means
    await target.clients.offer(offeredPerSecond, this.effort.leadSeconds);
    const before = await controller.collections();
    const result = await trial(target, offeredPerSecond, this.effort.halfSeconds);
    const collections = collectedSince(before, await controller.collections());
    this.#note(result, 'half');
    const { telemetryToCutMs, probeMs, cuts, seconds } = result.clients;
    const { servedPerSecond: framesPerSecond } = result;
    return { framesPerSecond, telemetryToCutMs, probeMs, cuts, seconds, collections };
  }

  async #profile(
    controller: Controller,
    target: Target,
    framesPerSecond: number,
  ): Promise<Figures['profile']> {
    const taken = await controller.profile(() =>
      target.clients.offer(framesPerSecond, this.effort.profileSeconds),
    );
    const summary = summarise(taken);
    for (const { module, share } of summary.modules.slice(0, 12)) {
      this.say(`  ${(100 * share).toFixed(1).padStart(5)} %  ${module}`);
    }
    return { at: `${framesPerSecond.toFixed(0)} frames/s`, ...summary };
  }

  async #overload(controller: Controller, target: Target, maximum: number): Promise<Figures['overload']> {
    const rssBytes: number[] = [(await controller.figures()).rssBytes];
    const sampling = setInterval(() => {
      void controller.figures().then((figures) => rssBytes.push(figures.rssBytes));
    }, 500);
    const result = await trial(target, 2 * maximum, this.effort.overloadSeconds);
    clearInterval(sampling);
    this.#note(result, 'overload');
    const after = await trial(target, maximum / 2, Math.min(10, this.effort.halfSeconds));
    this.#note(after, 'after');
    const { probeMs, probesLost } = result.clients;
    return {
      offeredPerSecond: result.offeredPerSecond,
      servedPerSecond: result.servedPerSecond,
      droppedFrames: result.droppedFrames,
      p50Ms: probeMs?.p50 ?? null,
      p99Ms: probeMs?.p99 ?? null,
      probesLost,
      probeCuts: probeMs?.count ?? 0,
      seconds: result.clients.seconds,
      rssGrowthBytes: growthOf(rssBytes),
      rssBytes,
      after,
    };
  }

  async #restart(controller: Controller, clients: Clients): Promise<Figures['reconnect']> {
    const { pairs, returnSeconds } = this.effort;
    const devices = 2 * pairs;
    await clients.remote.call('moveTo', controller.address);
    const port = controller.address.port;
    await controller.stop();
    const stoppedAtMs = Date.now();
    const again = (this.#controller = await Controller.start(this.folder, port, controller));
    const until = Date.now() + 1e3 * returnSeconds;
    let returned: Returned;
    do {
      await sleep(250);
      returned = await clients.remote.call<Returned>('returned');
    } while (returned.welcome < devices && Date.now() < until);
    const seconds = (returned.lastAtMs - stoppedAtMs) / 1e3;
    this.say(
      `restart: listens after ${again.startSeconds.toFixed(1)} s, ${returned.welcome} of ${devices} back after ${seconds.toFixed(1)} s`,
    );
    const wrongCuts = await this.#wrongCuts(again, clients);
    const { replays } = await clients.remote.call<Returned>('returned');
    this.say(`${wrongCuts} wrong cuts, ${replays} replayed`);
    return {
      seconds,
      startSeconds: again.startSeconds,
      wrongCuts,
      replayedCuts: replays,
      devicesBack: returned.welcome,
    };
  }

  /** Devices that do not run the cut that the controller wants there, both asked. */
  async #wrongCuts(controller: Controller, clients: Clients): Promise<number> {
    const running = await clients.remote.call<{ deviceId: string; running: Running | null }[]>('running');
    const runs = new Map(running.map(({ deviceId, running: own }) => [deviceId, own]));
    let wrong = 0;
    const deployments = await controller.deployments();
    await inParallel(deployments.length, async (i) => {
      const { id, version, end, edge } = deployments[i]!;
      const endLayers = await controller.endLayers(id);
      for (const { deviceId } of [end, edge]) {
        const own = runs.get(deviceId);
        if (own?.deploymentId !== id || own.version !== version || own.endLayers !== endLayers) wrong++;
      }
    });
    return wrong;
  }

  #note(result: Trial, what: string): void {
    this.#trials.push(result);
    const { target, offeredPerSecond, servedPerSecond, droppedFrames, serverCpu, clients } = result;
    const ms = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(1));
    this.say(
      `${what.padEnd(8)} ${target}: offered ${offeredPerSecond.toFixed(0)}/s, served ${servedPerSecond.toFixed(0)}/s, ` +
        `dropped ${droppedFrames}, ${clients.cuts} cuts, to cut p50 ${ms(clients.telemetryToCutMs?.p50)} p99 ${ms(clients.telemetryToCutMs?.p99)} ms, ` +
        `probes p50 ${ms(clients.probeMs?.p50)} p99 ${ms(clients.probeMs?.p99)} max ${ms(clients.probeMs?.max)} ms, ` +
        `server ${(100 * serverCpu).toFixed(0)} %, clients ${((100 * clients.cpuSeconds) / clients.seconds).toFixed(0)} % late ${ms(clients.ownDelayMs.p99)} ms`,
    );
  }
}
