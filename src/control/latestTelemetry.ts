/**
 * What a device said last, as numbers in one place that each frame writes over. Telemetry is by far the most of what
 * comes in, and all of it stays until the next frame: as objects it would be most of what the garbage collector moves.
 */
import type { Battery } from '../core/context.js';
import type { Telemetry } from './records.js';

const names = [
  'uplinkBitsPerSecond',
  'downlinkBitsPerSecond',
  'rttSeconds',
  'cpuLoad',
  'slowdown',
  'freeMemoryBytes',
  'freeStorageBytes',
  'temperatureCelsius',
  'queueLength',
  'meanServiceSeconds',
] as const satisfies readonly (keyof Telemetry)[];

const batteryLevel = names.length;
const batteryCharging = batteryLevel + 1;
const atMs = batteryCharging + 1;

/** Live: reads as a `Telemetry` does, and shows the next frame as soon as that came. NaN stands for what is absent. */
export class LatestTelemetry implements Telemetry {
  readonly #numbers = new Float64Array(atMs + 1).fill(NaN);

  /** @param nowMs when it came @param values finite numbers */
  take(values: Telemetry, nowMs: number): void {
    const numbers = this.#numbers;
    numbers[0] = values.uplinkBitsPerSecond ?? NaN;
    numbers[1] = values.downlinkBitsPerSecond ?? NaN;
    numbers[2] = values.rttSeconds ?? NaN;
    numbers[3] = values.cpuLoad ?? NaN;
    numbers[4] = values.slowdown ?? NaN;
    numbers[5] = values.freeMemoryBytes ?? NaN;
    numbers[6] = values.freeStorageBytes ?? NaN;
    numbers[7] = values.temperatureCelsius ?? NaN;
    numbers[8] = values.queueLength ?? NaN;
    numbers[9] = values.meanServiceSeconds ?? NaN;
    const { battery } = values;
    numbers[batteryLevel] = battery?.level ?? NaN;
    numbers[batteryCharging] = battery?.charging === true ? 1 : 0;
    numbers[atMs] = nowMs;
  }

  /** When the latest frame came. */
  get atMs(): number {
    return this.#numbers[atMs]!;
  }

  get uplinkBitsPerSecond(): number | undefined {
    return known(this.#numbers[0]!);
  }

  get downlinkBitsPerSecond(): number | undefined {
    return known(this.#numbers[1]!);
  }

  get rttSeconds(): number | undefined {
    return known(this.#numbers[2]!);
  }

  get cpuLoad(): number | undefined {
    return known(this.#numbers[3]!);
  }

  get slowdown(): number | undefined {
    return known(this.#numbers[4]!);
  }

  get freeMemoryBytes(): number | undefined {
    return known(this.#numbers[5]!);
  }

  get freeStorageBytes(): number | undefined {
    return known(this.#numbers[6]!);
  }

  get temperatureCelsius(): number | undefined {
    return known(this.#numbers[7]!);
  }

  get queueLength(): number | undefined {
    return known(this.#numbers[8]!);
  }

  get meanServiceSeconds(): number | undefined {
    return known(this.#numbers[9]!);
  }

  get battery(): Pick<Battery, 'level' | 'charging'> | undefined {
    const level = known(this.#numbers[batteryLevel]!);
    return level === undefined ? undefined : { level, charging: this.#numbers[batteryCharging] === 1 };
  }

  /** As it is now, to keep. */
  snapshot(): Telemetry {
    const snapshot: Record<string, unknown> = {};
    for (const name of [...names, 'battery'] as const) {
      if (this[name] !== undefined) snapshot[name] = this[name];
    }
    return snapshot;
  }
}

function known(value: number): number | undefined {
  return value === value ? value : undefined; // NaN alone is not itself
}
