/** Placements of one deployment that its devices refused: left alone for a while that doubles with each refusal. */
import type { Placement } from '../core/decision.js';
import type { StoredCut } from './records.js';
import { placementOfCut } from './storedCut.js';
import { backOffMs, type RolloutSettings } from './tierRollout.js';

export interface SetAside {
  readonly cut: StoredCut;
  /** Reason of the latest refusal. */
  readonly code: string;
  readonly count: number;
  /** Until then it is not tried, by the clock that does not go back, ms. */
  readonly retryAtMs: number;
  /** The same by the clock on the wall, for operators. */
  readonly retryAtClockMs: number;
}

export interface SetAsideSettings extends Pick<RolloutSettings, 'retryMs' | 'maxRetryMs'> {
  /** Placements that are remembered. */
  readonly maxSetAside: number;
}

/** A cut, as it is kept or as it was chosen. */
type Placed = StoredCut | { readonly placement: Placement };

export class SetAsides {
  readonly #byPlacement = new Map<string, SetAside>();

  get isEmpty(): boolean {
    return this.#byPlacement.size === 0;
  }

  list(): readonly SetAside[] {
    return [...this.#byPlacement.values()];
  }

  /** Remembers a refusal. `isFull`: another placement was forgotten for it, the one that was due first. */
  add(
    cut: StoredCut,
    code: string,
    nowMs: number,
    clockMs: number,
    settings: SetAsideSettings,
  ): { readonly entry: SetAside; readonly isFull: boolean } {
    const key = keyOf(cut);
    const count = (this.#byPlacement.get(key)?.count ?? 0) + 1;
    const waitMs = backOffMs(count, settings);
    const entry = {
      cut,
      code,
      count,
      retryAtMs: nowMs + waitMs,
      retryAtClockMs: Math.round(clockMs + waitMs),
    };
    const isFull = !this.#byPlacement.has(key) && this.#byPlacement.size >= settings.maxSetAside;
    if (isFull) this.#forgetFirstDue();
    this.#byPlacement.set(key, entry);
    return { entry, isFull };
  }

  /** Whether the placement is to be left alone now. */
  holds(cut: Placed, nowMs: number): boolean {
    if (this.#byPlacement.size === 0) return false; // nearly always, and this is asked for each decision
    return (this.#byPlacement.get(keyOf(cut))?.retryAtMs ?? nowMs) > nowMs;
  }

  /** The placement works after all. */
  clear(cut: Placed): void {
    if (this.#byPlacement.size > 0) this.#byPlacement.delete(keyOf(cut));
  }

  /** When the next placement may be tried again; null where none is left alone now. */
  dueAtMs(nowMs: number): number | null {
    if (this.#byPlacement.size === 0) return null;
    const dues = this.list().flatMap(({ retryAtMs }) => (retryAtMs > nowMs ? retryAtMs : []));
    return dues.length === 0 ? null : Math.min(...dues);
  }

  #forgetFirstDue(): void {
    const [first] = [...this.#byPlacement].sort(([, a], [, b]) => a.retryAtMs - b.retryAtMs);
    if (first !== undefined) this.#byPlacement.delete(first[0]);
  }
}

/** The tiers of the layers, a digit each. */
function keyOf(cut: Placed): string {
  return ('placement' in cut ? cut.placement : placementOfCut(cut)).join('');
}
