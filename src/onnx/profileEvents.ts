/** The runtime's own record of runs: which node took how long and what it wrote. */
import { elementTypeOfRuntime } from './elementTypes.js';

export interface TensorFacts {
  readonly type: string;
  readonly shape: readonly number[];
}

export interface NodeEvent {
  readonly name: string;
  readonly operator: string;
  readonly seconds: number;
  /** Tensors read and written, in order; what is no tensor or was left out is missing. */
  readonly reads: readonly TensorFacts[];
  readonly writes: readonly TensorFacts[];
}

interface RawEvent {
  readonly cat: string;
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args: Readonly<Record<string, unknown>>;
}

const KERNEL_SUFFIX = '_kernel_time';

/**
 * The node events of each run, in the order of execution; bodies of control flow are among them.
 * @throws SyntaxError where the record is not complete JSON
 */
export function eventsByRun(profileJson: string): NodeEvent[][] {
  const events = JSON.parse(profileJson) as RawEvent[];
  const runs = events
    .filter((event) => event.cat === 'Session' && event.name === 'model_run')
    .map((event) => ({ start: event.ts, end: event.ts + event.dur, nodes: [] as NodeEvent[] }))
    .sort((a, b) => a.start - b.start);
  const kernels = events
    .filter((event) => event.cat === 'Node' && event.name.endsWith(KERNEL_SUFFIX))
    .sort((a, b) => a.ts - b.ts);
  let run = 0;
  for (const event of kernels) {
    while (run < runs.length && event.ts > runs[run]!.end) run += 1;
    if (run < runs.length && event.ts >= runs[run]!.start) runs[run]!.nodes.push(nodeEvent(event));
  }
  return runs.map((each) => each.nodes);
}

function nodeEvent(event: RawEvent): NodeEvent {
  return {
    name: event.name.slice(0, -KERNEL_SUFFIX.length),
    operator: String(event.args['op_name']),
    seconds: event.dur / 1e6,
    reads: tensorFacts(event.args['input_type_shape']),
    writes: tensorFacts(event.args['output_type_shape']),
  };
}

function tensorFacts(raw: unknown): TensorFacts[] {
  if (!Array.isArray(raw)) return [];
  return (raw as Record<string, number[]>[]).flatMap((entry) =>
    Object.entries(entry).map(([type, shape]) => ({ type: elementTypeOfRuntime(type), shape })),
  );
}
