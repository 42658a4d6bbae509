/** The tiers of a deployment, and who is on them. */
import type { DeploymentRecord, Role, TierBinding } from './records.js';

const twoTiers: readonly Role[] = ['end', 'edge'];
const threeTiers: readonly Role[] = ['end', 'edge', 'cloud'];

type Bindings = Pick<DeploymentRecord, 'end' | 'edge' | 'cloud'>;

/** From the end device upwards; the same array for the same number of tiers. */
export function rolesOf({ cloud }: Pick<Bindings, 'cloud'>): readonly Role[] {
  return cloud === undefined ? twoTiers : threeTiers;
}

/** @throws TypeError where the deployment has no such tier */
export function bindingOf(bindings: Bindings, role: Role): TierBinding {
  const binding = bindings[role];
  if (binding === undefined) throw new TypeError(`this deployment has no ${role}`);
  return binding;
}

/** The tier that `deviceId` is; null where it is none of this deployment. */
export function roleOfDevice({ end, edge, cloud }: Bindings, deviceId: string): Role | null {
  if (end.deviceId === deviceId) return 'end';
  if (edge.deviceId === deviceId) return 'edge';
  return cloud?.deviceId === deviceId ? 'cloud' : null;
}
