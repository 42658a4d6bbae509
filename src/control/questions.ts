/**
 * What operators ask that takes long: ranges, alternatives, why a cut was chosen, what would be decided. A few are worked
 * on side by side, in slices of some ms per turn of the event loop, so that no decision waits longer for them; some
 * more wait for their turn, and beyond that a question is refused. One that nobody waits for any more is given up.
 */
import type { Steps } from '../core/steps.js';
import { ControlError } from './controlError.js';
import type { Clock, Events } from './ports.js';

/** Worked on side by side: a short one is not held up by a long one, and what they hold in memory stays small. */
const sideBySide = 4;

export interface QuestionSettings {
  /** Questions that may be worked on or wait at once. */
  readonly maxQuestions: number;
  /** Time for all of them together before other work has its turn, ms. */
  readonly sliceMs: number;
}

/** Its answer is kept in it, so that questions of all kinds stand in one list. */
interface Question {
  /** @returns true when it is answered */
  readonly step: () => boolean;
  readonly refuse: (error: Error) => void;
}

export class Questions {
  readonly #asked = new Set<Question>();
  #scheduled: NodeJS.Immediate | null = null;
  #isStopped = false;

  constructor(
    private readonly clock: Pick<Clock, 'monotonicNanoseconds'>,
    private readonly events: Pick<Events, 'capHit' | 'inventory'>,
    private readonly settings: QuestionSettings,
  ) {}

  /**
   * @param begin called when its turn has come
   * @param signal ends it early
   * @throws ControlError `unavailable` where too many are asked at once, nobody waits for it any more, or the controller
   * stops; what its steps throw
   */
  ask<T>(begin: () => Steps<T>, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#isStopped) throw stopping();
      if (signal.aborted) throw abandoned();
      this.#checkRoom();
      let steps: Steps<T> | null = null;
      const end = (): void => {
        signal.removeEventListener('abort', give);
        this.#asked.delete(question);
        this.events.inventory({ questions: this.#asked.size });
      };
      const question: Question = {
        step: () => {
          try {
            const { done, value } = (steps ??= begin()).next();
            if (done !== true) return false;
            resolve(value);
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
          end();
          return true;
        },
        refuse: (error) => {
          end();
          reject(error);
        },
      };
      const give = (): void => question.refuse(abandoned());
      signal.addEventListener('abort', give);
      this.#asked.add(question);
      this.events.inventory({ questions: this.#asked.size });
      this.#schedule();
    });
  }

  /** Refuses all that is asked, now and later. */
  stop(): void {
    this.#isStopped = true;
    if (this.#scheduled !== null) clearImmediate(this.#scheduled);
    this.#scheduled = null;
    for (const question of [...this.#asked]) question.refuse(stopping());
  }

  #checkRoom(): void {
    const { maxQuestions } = this.settings;
    if (this.#asked.size < maxQuestions) return;
    this.events.capHit('questions', { cap: maxQuestions });
    throw new ControlError(
      'unavailable',
      'too-many-questions',
      `${maxQuestions} questions about deployments are being worked on or wait (limits.maxQuestions); ask again later.`,
    );
  }

  #schedule(): void {
    if (this.#scheduled !== null || this.#asked.size === 0 || this.#isStopped) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = null;
      this.#slice();
      this.#schedule();
    });
  }

  /** Steps of the first few in turn, at least one, until the time is over. */
  #slice(): void {
    const until = this.clock.monotonicNanoseconds() + BigInt(Math.round(this.settings.sliceMs * 1e6));
    for (;;) {
      let taken = 0;
      for (const question of this.#asked) {
        if (taken++ === sideBySide) break;
        question.step();
        if (this.clock.monotonicNanoseconds() >= until) return;
      }
      if (taken === 0) return;
    }
  }
}

function abandoned(): ControlError {
  return new ControlError('unavailable', 'client-gone', 'Whoever asked did not wait for the answer.');
}

function stopping(): ControlError {
  return new ControlError('unavailable', 'shutting-down', 'The controller stops; ask again later.');
}
