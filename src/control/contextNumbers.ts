/**
 * A context as numbers in one place that the next one is written over: each deployment keeps its latest, and as objects
 * they would be most of what the garbage collector moves. NaN stands for what is absent.
 */
import type { Battery, Context, HopContext, Power, Requirements, TierContext } from '../core/context.js';

const perTier = 3;
const perHop = 5;
const ofBattery = 3;

export class ContextNumbers {
  #numbers = new Float64Array(0);
  #tierCount = 0;
  #power: Power | undefined;
  /** Null where there is no context. */
  #requirements: Requirements | null = null;

  take({ tiers, hops, battery, power, requirements }: Context): void {
    const { length } = tiers;
    if (length !== this.#tierCount) {
      this.#numbers = new Float64Array(perTier * length + perHop * hops.length + ofBattery);
      this.#tierCount = length;
    }
    const numbers = this.#numbers;
    let at = 0;
    for (const { slowdown, freeStorageBytes, freeMemoryBytes } of tiers) {
      numbers[at++] = slowdown ?? NaN;
      numbers[at++] = freeStorageBytes ?? NaN;
      numbers[at++] = freeMemoryBytes ?? NaN;
    }
    for (const hop of hops) {
      numbers[at++] = hop.uplinkBitsPerSecond ?? NaN;
      numbers[at++] = hop.downlinkBitsPerSecond ?? NaN;
      numbers[at++] = hop.rttSeconds ?? NaN;
      numbers[at++] = hop.queueSeconds ?? NaN;
      numbers[at++] = asNumber(hop.connected);
    }
    numbers[at++] = battery?.level ?? NaN;
    numbers[at++] = battery?.capacityJoules ?? NaN;
    numbers[at] = asNumber(battery?.charging);
    this.#power = power;
    this.#requirements = requirements;
  }

  forget(): void {
    this.#requirements = null;
  }

  /** Whether `context` says the same; false where there is none to compare with. */
  holds({ tiers, hops, battery, power, requirements }: Context): boolean {
    if (this.#requirements !== requirements || tiers.length !== this.#tierCount) return false;
    if (!samePower(this.#power, power)) return false;
    const numbers = this.#numbers;
    let at = 0;
    for (const tier of tiers) {
      if (!is(tier.slowdown, numbers[at++]!)) return false;
      if (!is(tier.freeStorageBytes, numbers[at++]!)) return false;
      if (!is(tier.freeMemoryBytes, numbers[at++]!)) return false;
    }
    for (const hop of hops) {
      if (!is(hop.uplinkBitsPerSecond, numbers[at++]!)) return false;
      if (!is(hop.downlinkBitsPerSecond, numbers[at++]!)) return false;
      if (!is(hop.rttSeconds, numbers[at++]!)) return false;
      if (!is(hop.queueSeconds, numbers[at++]!)) return false;
      if (!is(asNumber(hop.connected), numbers[at++]!)) return false;
    }
    return (
      is(battery?.level, numbers[at]!) &&
      is(battery?.capacityJoules, numbers[at + 1]!) &&
      is(asNumber(battery?.charging), numbers[at + 2]!)
    );
  }

  /** Whether a context was taken, and not forgotten. */
  get isThere(): boolean {
    return this.#requirements !== null;
  }

  /** The context that was taken last. @throws Error where there is none */
  context(): Context {
    const requirements = this.#requirements;
    if (requirements === null) throw new Error('no context was taken');
    const numbers = this.#numbers;
    const tiers: TierContext[] = [];
    const hops: HopContext[] = [];
    let at = 0;
    for (let t = 0; t < this.#tierCount; t++, at += perTier) {
      tiers.push(
        given({
          slowdown: numbers[at],
          freeStorageBytes: numbers[at + 1],
          freeMemoryBytes: numbers[at + 2],
        }),
      );
    }
    for (let h = 1; h < this.#tierCount; h++, at += perHop) {
      const rates = given({
        uplinkBitsPerSecond: numbers[at],
        downlinkBitsPerSecond: numbers[at + 1],
        rttSeconds: numbers[at + 2],
        queueSeconds: numbers[at + 3],
      });
      const connected = numbers[at + 4]!;
      hops.push(Number.isNaN(connected) ? rates : { connected: connected === 1, ...rates });
    }
    const level = numbers[at]!;
    const battery: Battery = {
      level,
      capacityJoules: numbers[at + 1]!,
      charging: numbers[at + 2] === 1,
    };
    return {
      tiers,
      hops,
      requirements,
      ...(this.#power === undefined ? {} : { power: this.#power }),
      ...(Number.isNaN(level) ? {} : { battery }),
    };
  }
}

function asNumber(yes: boolean | undefined): number {
  return yes === undefined ? NaN : yes ? 1 : 0;
}

/** Whether a value is the one that `number` stands for. */
function is(value: number | undefined, number: number): boolean {
  return value === number || (number !== number && (value === undefined || value !== value));
}

function samePower(a: Power | undefined, b: Power | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return (
    a.computeWatts === b.computeWatts &&
    a.transmitWatts === b.transmitWatts &&
    a.receiveWatts === b.receiveWatts &&
    a.idleWatts === b.idleWatts
  );
}

/** Absent values are no fields, in memory and in JSON. */
function given<T extends Readonly<Record<string, number | undefined>>>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => !Number.isNaN(value))) as Partial<T>;
}
