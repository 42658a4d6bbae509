/**
 * Follows the decision history of each deployment and arranges it by device. Device-only and edge-only are
 * costed by the cost model of the core in the very context that the controller recorded with its decision.
 */
import type { Context } from '../core/context.js';
import { featuresOfPlacement } from '../core/cut.js';
import { rawEncoding } from '../core/encoding.js';
import { featureLayout } from '../core/features.js';
import { layerFacts } from '../core/layerFacts.js';
import type { LayerGraph } from '../core/layerGraph.js';
import { predictionOf } from '../core/prediction.js';
import { assess } from '../core/problem.js';
import { measuredSeconds, scaledSeconds, type Profile, type TierSeconds } from '../core/profile.js';
import type { ControllerApi, DecisionRow } from './controllerApi.js';
import type { DecisionPoint, DeviceFigures } from './fleetFigures.js';

export interface Followed {
  readonly deploymentId: string;
  readonly device: Omit<DeviceFigures, 'points'>;
  readonly graph: LayerGraph;
  readonly tiers: readonly TierSeconds[];
}

export interface Observer {
  /** Reads what was decided since the last call. */
  update(): Promise<void>;
  devices(): readonly DeviceFigures[];
}

const pageRows = 100;

/** The seconds of a tier as the controller says that it got them. */
export function secondsFromSource(profile: Profile, source: TierSeconds['source']): TierSeconds {
  return source.kind === 'measured' ? measuredSeconds(profile) : scaledSeconds(profile, source.computeRatio);
}

/** @param startMs wall clock at which the run started */
export function createObserver(api: ControllerApi, followed: readonly Followed[], startMs: number): Observer {
  const followers = followed.map((one) => ({
    ...one,
    lastId: 0,
    points: [] as DecisionPoint[],
    cost: simpleCuts(one),
  }));
  return {
    async update() {
      await Promise.all(
        followers.map(async (follower) => {
          const rows = await newRows(api, follower.deploymentId, follower.lastId);
          for (const row of rows) {
            follower.points.push(pointOf(row, startMs, follower.cost(row.context)));
            follower.lastId = row.id;
          }
        }),
      );
    },
    devices: () => followers.map(({ device, points }) => ({ ...device, points })),
  };
}

/** Decisions after `lastId`, oldest first. */
async function newRows(api: ControllerApi, deploymentId: string, lastId: number): Promise<DecisionRow[]> {
  const rows: DecisionRow[] = [];
  for (;;) {
    const page = await api.decisions(deploymentId, pageRows, rows.at(-1)?.id);
    const fresh = page.filter(({ id }) => id > lastId);
    rows.push(...fresh);
    if (fresh.length < page.length || page.length < pageRows) return rows.reverse();
  }
}

interface SimpleCosts {
  readonly deviceOnlySeconds: number;
  readonly edgeOnlySeconds: number;
}

/** What the two cuts that need no search would take in a context. */
function simpleCuts({ graph, tiers }: Followed): (context: Context) => SimpleCosts {
  const facts = layerFacts(graph);
  const layout = featureLayout(tiers.length);
  const raw = rawEncoding(graph);
  const everyLayerOn = (tier: number): Float64Array =>
    featuresOfPlacement(
      graph,
      tiers,
      facts,
      layout,
      graph.layers.map(() => tier),
      raw,
    );
  const onDevice = everyLayerOn(0);
  const onEdge = everyLayerOn(1);
  return (context) => {
    const problem = assess(context, layout, facts.maxDepth);
    const latency = (features: Float64Array): number =>
      predictionOf(features, layout, facts.maxDepth, context, problem).latencySeconds;
    return { deviceOnlySeconds: latency(onDevice), edgeOnlySeconds: latency(onEdge) };
  };
}

function pointOf(row: DecisionRow, startMs: number, simple: SimpleCosts): DecisionPoint {
  const { context, prediction, violations } = row;
  const hop = context.hops[0]!;
  return {
    ...simple,
    atSeconds: Math.max(0, (row.atMs - startMs) / 1000),
    uplinkBitsPerSecond: hop.uplinkBitsPerSecond ?? null,
    rttSeconds: hop.rttSeconds ?? null,
    endSlowdown: context.tiers[0]!.slowdown ?? null,
    edgeQueueSeconds: hop.queueSeconds ?? null,
    battery: context.battery ?? null,
    endLayerCount: row.cutAfter.endLayers.length,
    version: row.versionAfter,
    chosenSeconds: prediction.latencySeconds,
    searchNanoseconds: row.searchNanoseconds,
    violated: violations.map(({ constraint }) => constraint),
  };
}
