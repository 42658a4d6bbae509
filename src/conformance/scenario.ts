/** A scenario is data: a name, the promise that it holds, and how it is played. */

/** The rows of the protocol's promises; docs/conformance.md has a table by them. */
export const topics = [
  'version',
  'identity',
  'hello',
  'welcome',
  'telemetry',
  'cut',
  'two-phases',
  'ack-and-nack',
  'measurement',
  'resume',
  'offline',
  'heartbeat',
  'backpressure',
  'sizes',
  'reconnect',
  'durability',
  'data-safety',
] as const;

export type Topic = (typeof topics)[number];

export interface Scenario<Stage> {
  readonly topic: Topic;
  /** Kebab-case, unique in its topic; `topic/name` is what `--only` takes. */
  readonly name: string;
  /** What the other side must do, in one sentence. */
  readonly promise: string;
  /** Longer than {@link defaultTimeLimitMs} where the protocol itself makes it wait. */
  readonly timeLimitMs?: (stage: Stage) => number;
  readonly play: (stage: Stage) => Promise<void>;
}

/** A scenario that takes longer has failed. */
export const defaultTimeLimitMs = 5_000;

export function nameOf({ topic, name }: Pick<Scenario<never>, 'topic' | 'name'>): string {
  return `${topic}/${name}`;
}

export type Verdict = 'pass' | 'fail' | 'skipped';
