/**
 * Which seconds per layer a tier of a deployment has. The first that is known wins: the profile named in
 * the deployment, a profile taken on the machine that the device says it is, the compute ratio stated in the
 * deployment, the compute ratio that the device states. Nothing is assumed: none of them known is an answer too.
 */
import type { TierSeconds } from '../core/profile.js';
import type { DeviceDescription, ProfileRecord, Role, TierBinding } from './records.js';

/** The seconds of a tier: those of a profile, times a ratio. Tiers of one profile share a state graph, whatever the ratio. */
export interface TierSecondsSource {
  readonly profile: ProfileRecord;
  /** 1 where the profile was taken on the machine of the tier. */
  readonly computeRatio: number;
  /** The same in the words of a decision. */
  readonly source: TierSeconds['source'];
}

export type TierSecondsResolution =
  ({ readonly kind: 'known' } & TierSecondsSource) | { readonly kind: 'missing'; readonly missing: string };

/**
 * @param tier the role that the deployment gives to the device
 * @param description null when the device has never said hello
 * @param profiles all profiles of the model
 */
export function resolveTierSeconds(
  tier: Role,
  binding: TierBinding,
  description: DeviceDescription | null,
  profiles: readonly ProfileRecord[],
): TierSecondsResolution {
  if (description !== null && description.role !== tier) {
    return missing(
      `device ${binding.deviceId} is the ${tier} of this deployment but says that its role is ${description.role}`,
    );
  }
  if (binding.profileId !== undefined) {
    const bound = profiles.find((profile) => profile.id === binding.profileId);
    if (bound === undefined)
      return missing(`${tier}.profileId ${binding.profileId} is no profile of this model`);
    return measured(bound);
  }
  const ofMachine = newest(
    profiles.filter((profile) => profile.profile.machine.id === description?.machineId),
  );
  if (ofMachine !== undefined) return measured(ofMachine);
  const computeRatio = binding.computeRatio ?? description?.computeRatio;
  if (computeRatio === undefined) return missing(whatWouldHelp(tier, binding, description));
  const own = newest(profiles.filter((profile) => profile.origin === 'import'));
  if (own === undefined)
    return missing("the model has no profile of the controller's own machine to scale from");
  return {
    kind: 'known',
    profile: own,
    computeRatio,
    source: { kind: 'scaled', machineId: own.profile.machine.id, computeRatio },
  };
}

function whatWouldHelp(tier: Role, binding: TierBinding, description: DeviceDescription | null): string {
  const ways = `upload a profile taken on it, or state ${tier}.computeRatio in the deployment`;
  return description === null
    ? `device ${binding.deviceId} has not connected yet and its speed is not known: let it connect, ${ways}`
    : `the speed of device ${binding.deviceId} is not known: ${ways}, or let it state computeRatio in its hello`;
}

function newest(profiles: readonly ProfileRecord[]): ProfileRecord | undefined {
  return profiles.reduce<ProfileRecord | undefined>(
    (best, profile) => (best === undefined || profile.createdAtMs >= best.createdAtMs ? profile : best),
    undefined,
  );
}

function measured(profile: ProfileRecord): TierSecondsResolution {
  const source = { kind: 'measured', machineId: profile.profile.machine.id } as const;
  return { kind: 'known', profile, computeRatio: 1, source };
}

function missing(text: string): TierSecondsResolution {
  return { kind: 'missing', missing: text };
}
