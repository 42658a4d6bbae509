/** A deployment on three tiers as a scenario drives it: the links of end device and edge move the cut. */
import type { Message } from './inbox.js';
import { must, show } from './outcome.js';
import type { Peer } from './peer.js';
import { links, Rollout } from './rollout.js';

export class CloudRollout extends Rollout {
  constructor(
    stage: ConstructorParameters<typeof Rollout>[0],
    id: string,
    end: Peer,
    edge: Peer,
    readonly cloud: Peer,
  ) {
    super(stage, id, end, edge);
  }

  get tiers(): readonly Peer[] {
    return [this.end, this.edge, this.cloud];
  }

  /** Tells of links over which the cloud is the best place for all layers until `done` is fulfilled. */
  async reachingCloud<T>(done: Promise<T>): Promise<T> {
    return this.telling('edge', done, () => this.edge.telemetry(links.edge));
  }

  /** Moves the links until `peer` is sent a cut with all layers in the cloud. */
  async cutForCloud(peer: Peer, pattern: Readonly<Record<string, unknown>> = {}): Promise<Message> {
    const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
    const inCloud = { deploymentId: this.id, endLayers: isEmpty, edgeLayers: isEmpty };
    return this.reachingCloud(peer.inbox.expect('cut', { ...inCloud, ...pattern }));
  }

  /** All devices obey until each acknowledged a cut with all layers in the cloud. @returns its version */
  async settleInCloud(): Promise<number> {
    for (const peer of this.tiers) peer.obey();
    return this.reachingCloud(
      this.until(
        'a cut with all layers in the cloud that is active on all tiers',
        (view) => {
          const version = view.at('version');
          const isThere = view.at('endLayerCount') === 0 && view.at('edgeLayerCount') === 0;
          const active = ['end', 'edge', 'cloud'].every((tier) => view.at('reported', tier) === version);
          return isThere && active && typeof version === 'number' ? version : undefined;
        },
        6_000,
      ),
    );
  }

  /** The last cut of a version that a peer was sent. @throws Unmet where there is none */
  static lastCut(peer: Peer, version: number): Message {
    const found = peer.inbox.messages.filter((m) => m.type === 'cut' && m['version'] === version).at(-1);
    must(found !== undefined, `${peer.name} was sent no cut of version ${show(version)}`);
    return found;
  }
}
