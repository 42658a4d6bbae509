/** Measured seconds of inferences, gathered to means: one report per deployment and interval, however many there were. */
import { measuredStages, type DeviceMessageOf } from '../protocol/messages.js';

type Stage = (typeof measuredStages)[number];

/** Seconds of the stages of one inference; a stage that was not measured is absent. Each > 0. */
export type StageSeconds = Readonly<Partial<Record<Stage, number>>>;

const mostInferences = 1e9;

interface Sum {
  readonly version: number;
  readonly measured: readonly Stage[];
  count: number;
  readonly seconds: Map<string, number>;
}

export class Measurements {
  readonly #sums = new Map<string, Sum>();
  #droppedCount = 0;

  /** Inferences that were not reported: their version or their stages were superseded before the next report. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** @throws RangeError where no stage was measured, or one is not a finite number above 0 */
  add(deploymentId: string, version: number, measured: StageSeconds): void {
    const given = measuredStages.filter((stage) => measured[stage] !== undefined);
    const wrong = given.find((stage) => !(measured[stage]! > 0 && measured[stage]! <= 86_400));
    if (wrong !== undefined)
      throw new RangeError(`${wrong} must be > 0 and <= 86400, not ${measured[wrong]}`);
    if (given.length === 0) throw new RangeError(`one of ${measuredStages.join(', ')} must be measured`);
    let sum = this.#sums.get(deploymentId);
    if (
      sum === undefined ||
      sum.version !== version ||
      sum.measured.join() !== given.join() ||
      sum.count >= mostInferences
    ) {
      // means over inferences of different kinds would be means of nothing
      this.#droppedCount += sum?.count ?? 0;
      sum = { version, measured: given, count: 0, seconds: new Map() };
      this.#sums.set(deploymentId, sum);
    }
    sum.count++;
    for (const stage of given) sum.seconds.set(stage, (sum.seconds.get(stage) ?? 0) + measured[stage]!);
  }

  /** What was gathered since the last call. */
  take(): DeviceMessageOf<'measurement'>[] {
    const messages = [...this.#sums].map(
      ([deploymentId, { version, count, seconds }]): DeviceMessageOf<'measurement'> => ({
        type: 'measurement',
        deploymentId,
        version,
        count,
        ...Object.fromEntries([...seconds].map(([stage, total]) => [stage, total / count])),
      }),
    );
    this.#sums.clear();
    return messages;
  }

  forget(deploymentId: string): void {
    this.#sums.delete(deploymentId);
  }
}
