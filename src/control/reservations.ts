/**
 * Versions that may be given out while the store takes no writes: reserved durably beforehand, so that a start after a
 * crash goes beyond them and no version ever stands for two cuts.
 */
import type { DeploymentSession } from './deploymentSession.js';
import type { DeploymentRecord, VersionReservation } from './records.js';

export class Reservations {
  /** Durable ones: the last version that may be given out. */
  readonly #until = new WeakMap<DeploymentSession, number>();

  /** @param ahead versions kept in reserve per deployment; 0: none */
  constructor(private readonly ahead: number) {}

  /** What a commit of these deployments has to reserve with them. Half of a reserve used up: it is filled again. */
  due(
    steps: readonly { readonly session: DeploymentSession; readonly deployment: DeploymentRecord }[],
  ): VersionReservation[] {
    if (this.ahead === 0) return [];
    return steps
      .filter(({ session, deployment }) => {
        const left = (this.#until.get(session) ?? 0) - deployment.version;
        return left < this.ahead / 2;
      })
      .map(({ session, deployment }) => ({
        deploymentId: session.id,
        untilVersion: deployment.version + this.ahead,
      }));
  }

  stored(session: DeploymentSession, { untilVersion }: VersionReservation): void {
    this.#until.set(session, untilVersion);
  }

  covers(session: DeploymentSession, version: number): boolean {
    return version <= (this.#until.get(session) ?? 0);
  }
}
