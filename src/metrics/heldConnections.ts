/** How many connections are not read now, counted when someone looks: holds come and go by the thousand in a second. */
import { Gauge, type Registry } from 'prom-client';

export function watchHeldConnections(registry: Registry, count: () => number): void {
  new Gauge({
    name: 'cutpoint_held_connections',
    help: 'Connections of devices that are not read now, until their turn, because decisions are behind',
    registers: [registry],
    collect() {
      this.set(count());
    },
  });
}
