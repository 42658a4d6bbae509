/** How the deployments are now, counted when someone looks: a gauge that follows each change could drift. */
import { Gauge, type Registry } from 'prom-client';

/** Of all deployments: how many are in each status, and how many run a cut that violates what was asked. */
export interface DeploymentCounts {
  readonly byStatus: Readonly<Record<string, number>>;
  readonly violating: number;
}

export function watchDeployments(registry: Registry, count: () => DeploymentCounts): void {
  new Gauge({
    name: 'cutpoint_deployment_status',
    help: 'Deployments by status',
    labelNames: ['status'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [status, value] of Object.entries(count().byStatus)) this.set({ status }, value);
    },
  });
  new Gauge({
    name: 'cutpoint_deployments_violating',
    help: 'Deployments whose requirements no cut meets at present',
    registers: [registry],
    collect() {
      this.set(count().violating);
    },
  });
}
