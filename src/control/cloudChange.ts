/** A deployment gets a cloud while it runs, another one, or none any more. */
import { ControlError } from './controlError.js';
import type { DeploymentSession } from './deploymentSession.js';
import type { DecisionRecord, DeploymentRecord, TierBinding } from './records.js';
import { cloudLayerCount, safeLocalCut } from './storedCut.js';

/** Null: none from now on. A device that is not the present cloud: that one from now on, and nothing of the one before stays. */
export type CloudChange = {
  readonly deviceId?: string | undefined;
  readonly profileId?: string | null | undefined;
  readonly computeRatio?: number | null | undefined;
} | null;

/**
 * @param before absent: two tiers
 * @param change absent: none
 * @throws ControlError `invalid` where there is no cloud to change
 */
export function cloudAfter(
  before: TierBinding | undefined,
  change: CloudChange | undefined,
): TierBinding | undefined {
  if (change === undefined) return before;
  if (change === null) return undefined;
  const deviceId = change.deviceId ?? before?.deviceId;
  if (deviceId === undefined) {
    throw new ControlError(
      'invalid',
      'no-cloud',
      'The deployment has no cloud: name the device that is to be it.',
      'cloud.deviceId',
    );
  }
  const kept = deviceId === before?.deviceId ? before : undefined;
  const profileId = change.profileId === undefined ? kept?.profileId : change.profileId;
  const computeRatio = change.computeRatio === undefined ? kept?.computeRatio : change.computeRatio;
  return {
    deviceId,
    ...(profileId === undefined || profileId === null ? {} : { profileId }),
    ...(computeRatio === undefined || computeRatio === null ? {} : { computeRatio }),
  };
}

type WithCuts = Pick<DeploymentRecord, 'cut' | 'lastGood' | 'cloud'>;

/** Whether the desired cut has layers in a cloud that is `after` no longer there. */
export function losesLayers({ cut, cloud }: WithCuts, after: TierBinding | undefined): boolean {
  return cloud?.deviceId !== after?.deviceId && cut !== null && cloudLayerCount(cut) > 0;
}

/** The last good cut, where it can be had with the cloud that is there `after`. */
export function lastGoodWith(
  { lastGood, cloud }: WithCuts,
  after: TierBinding | undefined,
): DeploymentRecord['lastGood'] {
  const isThere = cloud?.deviceId === after?.deviceId;
  return isThere || lastGood === null || cloudLayerCount(lastGood.cut) === 0 ? lastGood : null;
}

/**
 * The decision for the end device alone in place of a cut whose cloud goes, until something better is decided.
 * @throws ControlError `conflict` while nothing can be predicted
 */
export function retreatOf(
  { id, basis, lastDecision, current, keptSinceRow }: DeploymentSession,
  atMs: number,
): DecisionRecord {
  const { cut, version } = current;
  const isKnown = basis !== null && lastDecision?.context.tiers.length === basis.sources.length;
  if (!isKnown || cut === null) {
    throw new ControlError(
      'conflict',
      'not-decidable',
      `Deployment ${id} has layers in this cloud and is not being decided now; try again when its status is active.`,
      'cloud',
    );
  }
  const { context, switching } = lastDecision;
  const onEnd = basis.partitioner.predict(context, new Array<number>(cut.layerCount).fill(0));
  const { objectiveValue, prediction, violations } = onEnd;
  return {
    ...lastDecision,
    atMs,
    reason: 'tiers',
    versionBefore: version,
    versionAfter: version + 1,
    cutBefore: cut,
    cutAfter: safeLocalCut(cut),
    switching: {
      reason: 'asked',
      switchSeconds: switching?.switchSeconds ?? null,
      kept: { why: 'cloud-gone', objectiveValue, prediction, violations },
    },
    searchNanoseconds: 0,
    keptBefore: keptSinceRow,
  };
}
