/**
 * Figures that move with every telemetry frame. To look a series up by its labels costs more than all else of such an
 * event, so whoever counts holds the series, a plain number, and the figure is made of them when somebody reads it.
 */
import { Counter, type CounterConfiguration, type Metric, type Registry } from 'prom-client';

type Labels<Label extends string> = Readonly<Partial<Record<Label, string>>>;

/** One series of a counter. */
class Count {
  #since = 0;

  inc(by = 1): void {
    this.#since += by;
  }

  /** What was counted since the last time. */
  taken(): number {
    const taken = this.#since;
    this.#since = 0;
    return taken;
  }
}

/** A counter of which the series are held by those who count; each is there, at 0, from when it is asked for. */
export class FrequentCounter<Label extends string> {
  readonly #series: { readonly labels: Labels<Label>; readonly count: Count }[] = [];

  constructor(configuration: CounterConfiguration<Label>) {
    const series = this.#series;
    new Counter<Label>({
      ...configuration,
      collect() {
        for (const { labels, count } of series) this.inc(labels, count.taken());
      },
    });
  }

  /** @param labels asked for once: who asks again counts into a series of its own, and the figure is the sum */
  series(labels: Labels<Label>): Count {
    const count = new Count();
    this.#series.push({ labels, count });
    return count;
  }
}

/** One series of a histogram. */
class Observations {
  readonly counts: Float64Array;
  sum = 0;

  constructor(private readonly upperBounds: readonly number[]) {
    this.counts = new Float64Array(upperBounds.length + 1);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.upperBounds.length && value > this.upperBounds[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sum += value;
  }
}

/** A histogram of which the series are held by those who observe. */
export class FrequentHistogram<Label extends string> {
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #series: { readonly labels: Labels<Label>; readonly observations: Observations }[] = [];

  constructor(
    readonly name: string,
    readonly help: string,
    /** Rising. */
    private readonly upperBounds: readonly number[],
    registry: Registry,
  ) {
    // what a registry reads of a figure is all here; the library's type names its own classes alone
    registry.registerMetric(this as unknown as Metric);
  }

  series(labels: Labels<Label>): Observations {
    const observations = new Observations(this.upperBounds);
    this.#series.push({ labels, observations });
    return observations;
  }

  /** Asked by the registry. */
  get(): object {
    const { name, help, type, aggregator } = this;
    const values = this.#series.flatMap(({ labels, observations: { counts, sum } }) => {
      let count = 0;
      const buckets = [...this.upperBounds, '+Inf'].map((le, bucket) => ({
        labels: { le, ...labels },
        value: (count += counts[bucket]!),
        metricName: `${name}_bucket`,
      }));
      return [
        ...buckets,
        { labels, value: sum, metricName: `${name}_sum` },
        { labels, value: count, metricName: `${name}_count` },
      ];
    });
    return { name, help, type, aggregator, values };
  }
}

/** A series for each of `names`, at hand without a look-up by labels. */
export function countsOf<Name extends string>(
  names: readonly Name[],
  series: (name: Name) => Count,
): Record<Name, Count> {
  return Object.fromEntries(names.map((name) => [name, series(name)])) as Record<Name, Count>;
}

/** `make` of each key, made once: for labels with few values. */
export function remembered<Key extends string, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new Map<Key, Value>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}
