/**
 * What the outside was told, held against what the store says: the rules of the crash test, without any I/O.
 *
 * Whoever was told of a version (a device by a frame, an operator by an answer) must find it in the store for ever, with
 * the same cut. Versions of a deployment never go back. A change that an operator had confirmed stays.
 */

export interface Sighting {
  readonly deploymentId: string;
  readonly version: number;
  /** The cut in a form that equals for equal cuts. */
  readonly cut: string;
  /** Who was told. */
  readonly by: string;
}

/** What the database says at one moment. */
export interface Stored {
  readonly deployments: ReadonlyMap<
    string,
    { readonly version: number; readonly latencySeconds: number | null }
  >;
  /** Deployment, then version: the cut that the decision history names. */
  readonly cuts: ReadonlyMap<string, ReadonlyMap<number, string>>;
}

export interface Contradiction {
  readonly kind:
    | 'meaning-changed' // one version, two cuts
    | 'went-back' // an older version after a newer one
    | 'version-lost' // told, and not in the store
    | 'acknowledged-lost' // a device runs it, and it is not in the store
    | 'other-cut-stored'
    | 'change-lost' // an operator's confirmed change is not there
    | 'refused-change-done'
    | 'deployment-lost'
    | 'deployment-back'; // deleted, confirmed, and there again
  readonly deploymentId: string;
  readonly text: string;
}

type Answer = 'open' | 'done' | 'refused' | 'unknown';

export interface Change {
  readonly deploymentId: string;
  readonly latencySeconds: number;
  answer: Answer;
}

export class Ledger {
  readonly contradictions: Contradiction[] = [];
  sightings = 0;
  acknowledged = 0;
  confirmedChanges = 0;
  readonly #cuts = new Map<string, Map<number, Sighting>>();
  readonly #latest = new Map<string, number>();
  readonly #acknowledged = new Set<string>();
  readonly #storedVersions = new Map<string, number>();
  /** Sightings that no store was asked about yet. */
  #unchecked: Sighting[] = [];
  readonly #changes = new Map<string, Change[]>();
  readonly #deployments = new Map<string, { deleted: Answer | null }>();

  get distinctVersions(): number {
    return [...this.#cuts.values()].reduce((sum, versions) => sum + versions.size, 0);
  }

  seen(sighting: Sighting): void {
    this.sightings++;
    const { deploymentId, version, by } = sighting;
    const versions = this.#cuts.get(deploymentId) ?? new Map<number, Sighting>();
    this.#cuts.set(deploymentId, versions);
    const before = versions.get(version);
    if (before === undefined) {
      versions.set(version, sighting);
      this.#unchecked.push(sighting);
    } else if (before.cut !== sighting.cut) {
      this.#found('meaning-changed', deploymentId, `version ${version}: ${before.by} and ${by} saw two cuts`);
    }
    const key = `${by} ${deploymentId}`;
    const latest = this.#latest.get(key) ?? 0;
    if (version < latest) this.#found('went-back', deploymentId, `${by} saw ${version} after ${latest}`);
    this.#latest.set(key, Math.max(latest, version));
  }

  /** A device said that it runs this version. */
  ack(deploymentId: string, version: number): void {
    this.acknowledged++;
    this.#acknowledged.add(`${deploymentId} ${version}`);
  }

  created(deploymentId: string): void {
    this.#deployments.set(deploymentId, { deleted: null });
  }

  /** Notes how the wish to delete was answered. */
  deleted(deploymentId: string, answer: Answer): void {
    this.#deployments.set(deploymentId, { deleted: answer });
  }

  asked(deploymentId: string, latencySeconds: number): Change {
    const change: Change = { deploymentId, latencySeconds, answer: 'open' };
    this.#changes.set(deploymentId, [...(this.#changes.get(deploymentId) ?? []), change]);
    return change;
  }

  answered(change: Change, answer: Answer): void {
    change.answer = answer;
    if (answer === 'done') this.confirmedChanges++;
  }

  /** @param all whether sightings that were in the store once are looked up again */
  compare(stored: Stored, all: boolean): void {
    const looked = all ? [...this.#cuts.values()].flatMap((map) => [...map.values()]) : this.#unchecked;
    this.#unchecked = [];
    for (const sighting of looked) this.#compareSighting(sighting, stored);
    for (const [id, { version }] of stored.deployments) {
      const before = this.#storedVersions.get(id) ?? 0;
      if (version < before) this.#found('went-back', id, `the store says ${version} after ${before}`);
      this.#storedVersions.set(id, version);
    }
    for (const [id, { deleted }] of this.#deployments) {
      const isThere = stored.deployments.has(id);
      if (!isThere && (deleted === null || deleted === 'refused')) {
        this.#found('deployment-lost', id, 'its making was confirmed');
      }
      if (isThere && deleted === 'done') this.#found('deployment-back', id, 'its deletion was confirmed');
    }
    for (const [id, changes] of this.#changes) this.#compareChanges(id, changes, stored);
  }

  #compareSighting({ deploymentId, version, cut, by }: Sighting, stored: Stored): void {
    const found = stored.cuts.get(deploymentId)?.get(version);
    if (found === cut) return;
    if (found !== undefined) {
      this.#found('other-cut-stored', deploymentId, `version ${version} as ${by} saw it`);
      return;
    }
    const isRunning = this.#acknowledged.has(`${deploymentId} ${version}`);
    this.#found(
      isRunning ? 'acknowledged-lost' : 'version-lost',
      deploymentId,
      `version ${version} of ${by}; the store is at ${stored.deployments.get(deploymentId)?.version ?? 'none'}`,
    );
  }

  /** The value there must be of the last confirmed change, or of one after it whose answer got lost. */
  #compareChanges(id: string, changes: readonly Change[], stored: Stored): void {
    const there = stored.deployments.get(id);
    if (there === undefined) return; // deleted, or told above
    const confirmed = changes.findLastIndex(({ answer }) => answer === 'done');
    const found = changes.findIndex(({ latencySeconds }) => latencySeconds === there.latencySeconds);
    if (found < confirmed) {
      this.#found('change-lost', id, `latencySeconds is ${there.latencySeconds ?? 'absent'}`);
    } else if (changes[found]?.answer === 'refused') {
      this.#found('refused-change-done', id, `latencySeconds is ${there.latencySeconds}`);
    }
    // what came before cannot come back
    this.#changes.set(id, changes.slice(Math.max(confirmed, 0)));
  }

  #found(kind: Contradiction['kind'], deploymentId: string, text: string): void {
    this.contradictions.push({ kind, deploymentId, text });
  }
}
