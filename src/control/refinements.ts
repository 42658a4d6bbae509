/**
 * Decisions that had to keep short, of models whose states are too many to hold, searched on while others rest: one
 * after the other, in slices of some ms with a rest at least as long between, and longer where the event loop is
 * late, so has other work. It goes on as long as the deployment has not been decided anew; what comes of it is a
 * decision of its own. A deployment waits once, so as many wait as there are deployments at most.
 */
import type { Decision } from '../core/decision.js';
import type { Steps } from '../core/steps.js';
import type { DeploymentSession } from './deploymentSession.js';
import type { RefinementOutcome } from './events.js';
import type { Clock, Events } from './ports.js';

/** How much longer it rests than the event loop was late. */
const restPerLateness = 4;
const longestRestMs = 64;

interface Running {
  readonly session: DeploymentSession;
  /** `DeploymentSession.decisionCount` when it began. */
  readonly number: number;
  readonly steps: Steps<Decision>;
  nanoseconds: number;
}

export class Refinements {
  readonly #waiting = new Set<DeploymentSession>();
  #running: Running | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(
    private readonly clock: Pick<Clock, 'monotonicNanoseconds'>,
    private readonly events: Pick<Events, 'refinement' | 'refused'>,
    private readonly sliceMs: number,
    /** `session` has a better decision than before. */
    private readonly refined: (session: DeploymentSession) => void,
  ) {}

  /** The latest decision of `session` may be bettered. */
  want(session: DeploymentSession): void {
    if (this.#isStopped) return;
    this.#waiting.add(session);
    if (this.#timer === null) this.#rest(this.sliceMs);
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #rest(ms: number): void {
    const due = Number(this.clock.monotonicNanoseconds()) / 1e6 + ms;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const lateMs = Number(this.clock.monotonicNanoseconds()) / 1e6 - due;
      this.#slice();
      if (this.#isStopped || (this.#running === null && this.#waiting.size === 0)) return;
      this.#rest(Math.min(longestRestMs, Math.max(this.sliceMs, restPerLateness * lateMs)));
    }, ms);
  }

  /** Steps of one search, at least one, until the time is over. */
  #slice(): void {
    const startedAt = this.clock.monotonicNanoseconds();
    const until = startedAt + BigInt(Math.round(this.sliceMs * 1e6));
    const running = (this.#running ??= this.#next());
    if (running === null) return;
    const { session, number } = running;
    if (session.disposed || session.decisionCount !== number) {
      this.#end('superseded');
      return;
    }
    for (;;) {
      const { done, value } = this.#step(running);
      const now = this.clock.monotonicNanoseconds();
      if (done === true) {
        const took = running.nanoseconds + Number(now - startedAt);
        const isBetter = value !== null && session.search.refine(value, took);
        this.#end(isBetter ? 'better' : 'same');
        if (isBetter) this.refined(session);
        return;
      }
      if (now < until) continue;
      running.nanoseconds += Number(now - startedAt);
      return;
    }
  }

  /** One that fails is no answer: whatever it is about one deployment, it must not stop the controller. */
  #step({ session, steps }: Running): IteratorResult<undefined, Decision | null> {
    try {
      return steps.next();
    } catch (error) {
      this.events.refused('deployment', 'refinement-failed', { deploymentId: session.id, error });
      return { done: true, value: null };
    }
  }

  #next(): Running | null {
    for (const session of this.#waiting) {
      this.#waiting.delete(session);
      const steps = session.disposed ? null : session.refining();
      if (steps !== null) return { session, number: session.decisionCount, steps, nanoseconds: 0 };
    }
    return null;
  }

  #end(outcome: RefinementOutcome): void {
    this.#running = null;
    this.events.refinement(outcome);
  }
}
