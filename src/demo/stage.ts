/** The set-up of the demo, step by step: models into the controller, devices connected, deployments decided. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LayerGraph } from '../core/layerGraph.js';
import type { Profile } from '../core/profile.js';
import { writeZooModel } from '../zoo/zoo.js';
import { ControllerFailure, type ControllerApi } from './controllerApi.js';
import type { EndPlan, FleetPlan } from './fleetPlan.js';
import { secondsFromSource, type Followed } from './observer.js';

export interface ImportedModel {
  readonly id: string;
  readonly graph: LayerGraph;
  readonly profile: Profile;
}

type Progress = (what: string, fraction: number) => void;

/** Writes each network of the fleet, uploads it and waits for its import. */
export async function importModels(
  api: ControllerApi,
  plan: FleetPlan,
  folder: string,
  signal: AbortSignal,
  progress: Progress,
): Promise<Map<string, ImportedModel>> {
  const names = [...new Set(plan.ends.map(({ modelName }) => modelName))].sort();
  const imported = new Map<string, ImportedModel>();
  for (const [index, name] of names.entries()) {
    const share = (fraction: number): number => (index + fraction) / names.length;
    progress(`building ${name}`, share(0));
    const file = join(folder, `${name}.onnx`);
    // One constant per weight: the same cost and the same bytes in memory, but a file of some hundred kilobytes.
    await writeZooModel(name, file, { weights: 'constant' });
    let model = await api.upload(name, file);
    await rm(file);
    while (model.status === 'importing') {
      progress(`importing and measuring ${name}`, share(0.1 + 0.9 * (model.progress?.fraction ?? 0)));
      await sleep(150, undefined, { signal });
      model = await api.model(model.id);
    }
    if (model.status === 'failed') {
      throw new ControllerFailure(
        `${name} could not be imported: ${model.error?.message ?? 'no reason given'}`,
      );
    }
    imported.set(name, {
      id: model.id,
      graph: await api.graph(model.id),
      profile: await api.importProfile(model.id),
    });
  }
  return imported;
}

const decideTimeoutMs = 20_000;

/** Creates one deployment per end device and waits until the controller decides each of them. */
export async function deployAll(
  api: ControllerApi,
  plan: FleetPlan,
  models: ReadonlyMap<string, ImportedModel>,
  linkName: (plan: EndPlan) => string,
  signal: AbortSignal,
): Promise<Followed[]> {
  const followed: Followed[] = [];
  for (const end of plan.ends) {
    const model = models.get(end.modelName)!;
    const created = await api.deploy(model.id, end.deviceId, end.edgeId, end.requirements);
    const sources = await activeSources(api, created.id, end.deviceId, signal);
    followed.push({
      deploymentId: created.id,
      device: {
        deviceId: end.deviceId,
        edgeId: end.edgeId,
        modelName: end.modelName,
        linkName: linkName(end),
        computeRatio: end.computeRatio,
        layerCount: model.graph.layers.length,
      },
      graph: model.graph,
      tiers: sources.map((source) => secondsFromSource(model.profile, source)),
    });
  }
  return followed;
}

async function activeSources(
  api: ControllerApi,
  deploymentId: string,
  deviceId: string,
  signal: AbortSignal,
): Promise<Followed['tiers'][number]['source'][]> {
  const deadlineMs = performance.now() + decideTimeoutMs;
  for (;;) {
    const { status, secondsSources } = await api.deployment(deploymentId);
    if (status.kind === 'active' && secondsSources !== null) return [...secondsSources];
    if (status.kind === 'failed' || performance.now() > deadlineMs) {
      const why = status.message ?? status.missing?.join('; ') ?? status.kind;
      throw new ControllerFailure(`the deployment of ${deviceId} is not decided: ${why}`);
    }
    await sleep(50, undefined, { signal });
  }
}
