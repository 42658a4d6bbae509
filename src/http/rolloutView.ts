/** How far the devices of a deployment are with its cut, as the REST face shows it. */
import { Type } from 'typebox';
import type { DeploymentSession } from '../control/deploymentSession.js';

const versionOrNull = (description: string) =>
  Type.Unsafe<number | null>({ type: ['integer', 'null'], description });

const TierSchema = Type.Object({
  reported: versionOrNull('Version that it said it runs'),
  prepared: versionOrNull('Version that it has loaded beside that'),
  fallback: Type.Union(
    [
      Type.Object({
        version: Type.Integer(),
        reason: Type.Unsafe<string | null>({
          type: ['string', 'null'],
          description: 'edge-lost, time-to-live …; null where it only said so in its hello',
        }),
      }),
      Type.Null(),
    ],
    { description: 'Its safe local cut runs in place of this version' },
  ),
});

export const RolloutSchema = Type.Object(
  {
    phase: Type.Unsafe<'preparing' | 'activating' | 'active' | 'rejected' | null>({
      enum: ['preparing', 'activating', 'active', 'rejected', null],
      description:
        'Of the desired version: preparing (the cut before serves), activating, active (all tiers that it needs run it), ' +
        'rejected (refused; what comes instead is on its way, or it is sent again later). null before the first cut',
    }),
    desired: versionOrNull('Version that is wanted'),
    lastGood: versionOrNull('Version that all tiers that it needs ran last'),
    tiers: Type.Object({ end: TierSchema, edge: TierSchema, cloud: Type.Optional(TierSchema) }),
    rejected: Type.Array(
      Type.Object({
        endLayerCount: Type.Integer({ description: 'Layers on the end device' }),
        edgeLayerCount: Type.Optional(
          Type.Integer({ description: 'Where there is a cloud: layers on the edge' }),
        ),
        code: Type.String({ description: 'Reason of the latest refusal' }),
        count: Type.Integer({ description: 'Times that it was refused' }),
        retryAtMs: Type.Number({ description: 'It is left alone until then' }),
      }),
      { description: 'Placements that devices refused' },
    ),
  },
  { description: 'How far the devices are with the cut' },
);

export function rolloutView({ rollout, setAsides }: DeploymentSession) {
  const { desired, phase, lastGood, roles, tiers } = rollout;
  const tier = ({ reported, prepared, fallback }: (typeof tiers)['end']) => ({
    reported,
    prepared: prepared && desired !== null ? desired.version : null,
    fallback,
  });
  return {
    phase: desired === null ? null : phase,
    desired: desired?.version ?? null,
    lastGood: lastGood?.version ?? null,
    tiers: {
      end: tier(tiers.end),
      edge: tier(tiers.edge),
      ...(roles.includes('cloud') ? { cloud: tier(tiers.cloud) } : {}),
    },
    rejected: setAsides.list().map(({ cut, code, count, retryAtClockMs }) => ({
      endLayerCount: cut.endLayers.length,
      ...(cut.edgeLayers === undefined ? {} : { edgeLayerCount: cut.edgeLayers.length }),
      code,
      count,
      retryAtMs: retryAtClockMs,
    })),
  };
}
