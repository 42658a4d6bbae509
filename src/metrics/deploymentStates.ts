/** How the deployments are now, counted when someone looks: a gauge that follows each change could drift. */
import { Gauge, type Registry } from 'prom-client';
import type { DeploymentCounts } from '../control/deployments.js';

export function watchDeployments(registry: Registry, count: () => DeploymentCounts | null): void {
  const registers = [registry];
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge<Label>({ name: `cutpoint_${name}`, help, labelNames, registers });
  new Gauge({
    name: 'cutpoint_deployment_status',
    help: 'Deployments by status',
    labelNames: ['status'],
    registers,
    // the first of them is asked first, and counts for all: one look at thousands of deployments is enough
    collect() {
      const counts = count();
      if (counts === null) return;
      const { byStatus, byPhase } = counts;
      for (const [status, value] of Object.entries(byStatus)) this.set({ status }, value);
      for (const [phase, value] of Object.entries(byPhase)) rollouts.set({ phase }, value);
      violating.set(counts.violating);
      heldBack.set(counts.heldBack);
      inFallback.set(counts.inFallback);
    },
  });
  const violating = gauge(
    'deployments_violating',
    'Deployments whose best cut breaks a requirement at present',
  );
  const rollouts = gauge('rollouts', 'Deployments that have a cut, by how far their devices are with it', [
    'phase',
  ]);
  const heldBack = gauge(
    'deployments_held_back',
    'Deployments kept from the cut that would be chosen because a device refused it',
  );
  const inFallback = gauge(
    'deployments_in_fallback',
    'Deployments with a device that runs its safe local cut in place of the one it should',
  );
}
