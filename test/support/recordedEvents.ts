/** Events kept as they come, so that a test can look at what was told. */
import type { Events } from '../../src/control/ports.js';

export interface RecordedEvents {
  readonly events: Events;
  /** Arguments of every call of one event, in order. */
  of<Name extends keyof Events>(name: Name): Parameters<Events[Name]>[];
}

export function recordedEvents(): RecordedEvents {
  const calls: { name: string; values: unknown[] }[] = [];
  const events = new Proxy({} as Events, {
    get:
      (_target, name) =>
      (...values: unknown[]) => {
        calls.push({ name: String(name), values });
      },
  });
  return {
    events,
    of: <Name extends keyof Events>(name: Name) =>
      calls.filter((call) => call.name === name).map((call) => call.values as Parameters<Events[Name]>),
  };
}
