/** Reads Prometheus' text format, strictly: what does not follow it is an error. */
export interface Family {
  readonly name: string;
  help: string;
  type: string;
  /** By sample name with its labels as written, e.g. `cutpoint_decisions_total{reason="telemetry"}`. */
  readonly samples: Map<string, number>;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)$/;

export function parseExposition(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let current: Family | null = null;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const head = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (head) {
      const [, what, name, rest] = head as unknown as [string, string, string, string];
      if (what === 'HELP') {
        if (families.has(name)) throw new Error(`${name} twice`);
        current = { name, help: rest, type: '', samples: new Map() };
        families.set(name, current);
      } else if (current?.name === name) current.type = rest;
      else throw new Error(`TYPE before HELP: ${line}`);
      continue;
    }
    const sample = SAMPLE.exec(line);
    if (!sample || !current) throw new Error(`no sample: ${line}`);
    const base = sample[1]!.replace(/_(bucket|sum|count)$/, '');
    if (sample[1] !== current.name && !(current.type === 'histogram' && base === current.name)) {
      throw new Error(`${line} stands under ${current.name}`);
    }
    const key = sample[1]! + (sample[2] ?? '');
    if (current.samples.has(key)) throw new Error(`${key} twice`);
    current.samples.set(key, sample[3] === '+Inf' ? Infinity : Number(sample[3]));
  }
  return families;
}
