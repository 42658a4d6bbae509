/** Recorded links: CSV files with the columns `t_s,uplink_bps,downlink_bps,rtt_ms,loss`. */
import { largestAmount } from '../core/contextRanges.js';
import type { Link, LinkSample } from './link.js';

const header = 't_s,uplink_bps,downlink_bps,rtt_ms,loss';
/** A day of five samples a second; a longer file is a mistake. */
const maxRows = 432_000;

export interface TraceRow {
  readonly atSeconds: number;
  /** Null: not measured. */
  readonly uplinkBitsPerSecond: number | null;
  readonly downlinkBitsPerSecond: number | null;
  readonly rttSeconds: number | null;
}

export interface Trace {
  readonly rows: readonly TraceRow[];
  /** What stands in for a direction that the whole recording did not measure; to be told to the reader. */
  readonly assumed: readonly string[];
  /** What the recording measured in at least one row. */
  readonly measured: { readonly uplink: boolean; readonly downlink: boolean; readonly roundTrip: boolean };
}

/** A trace that cannot be replayed; the message names the line. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
}

/**
 * Reads a recording. Times rise from row to row; an empty field was not measured. Where one direction was
 * never measured the other stands in for it, and `assumed` says so, because a link without a rate is no link.
 * @throws TraceError naming the line and the column
 */
export function parseTrace(text: string): Trace {
  const lines = text.split(/\r?\n/);
  if (lines[0]?.trim() !== header) {
    throw new TraceError(`line 1: the header must be "${header}"`);
  }
  const rows: TraceRow[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '') continue;
    if (rows.length === maxRows) throw new TraceError(`line ${index + 1}: more than ${maxRows} rows`);
    const row = parseRow(line, index + 1);
    const before = rows.at(-1);
    if (before !== undefined && row.atSeconds <= before.atSeconds) {
      throw new TraceError(`line ${index + 1}: t_s ${row.atSeconds} does not come after ${before.atSeconds}`);
    }
    rows.push(row);
  }
  if (rows.length < 2) throw new TraceError('a trace needs at least two rows below its header');
  return withBothDirections(rows);
}

function parseRow(line: string, lineNumber: number): TraceRow {
  const fields = line.split(',');
  if (fields.length !== 5) {
    throw new TraceError(`line ${lineNumber}: ${fields.length} fields, but the header names 5`);
  }
  const value = (column: number, name: string, largest = Infinity): number | null => {
    const text = fields[column]!.trim();
    if (text === '') return null;
    const number = Number(text);
    if (!Number.isFinite(number) || number < 0 || number > largest) {
      const range = largest === Infinity ? 'a number >= 0' : `a number from 0 to ${largest}`;
      throw new TraceError(`line ${lineNumber}: ${name} must be ${range} or empty, not "${text}"`);
    }
    return number;
  };
  const atSeconds = value(0, 't_s', largestAmount);
  if (atSeconds === null) throw new TraceError(`line ${lineNumber}: t_s is empty`);
  const rttMs = value(3, 'rtt_ms', largestAmount);
  value(4, 'loss', 1); // checked, but no figure of the cost model uses it
  return {
    atSeconds,
    uplinkBitsPerSecond: value(1, 'uplink_bps', largestAmount),
    downlinkBitsPerSecond: value(2, 'downlink_bps', largestAmount),
    rttSeconds: rttMs === null ? null : rttMs / 1000,
  };
}

function withBothDirections(rows: readonly TraceRow[]): Trace {
  const up = rows.some((row) => row.uplinkBitsPerSecond !== null);
  const down = rows.some((row) => row.downlinkBitsPerSecond !== null);
  if (!up && !down) throw new TraceError('neither uplink_bps nor downlink_bps is measured in any row');
  const assumed: string[] = [];
  if (!up)
    assumed.push(
      'the trace measured no uplink: its downlink is replayed as uplink (real uplinks are often a tenth)',
    );
  if (!down) assumed.push('the trace measured no downlink: its uplink is replayed as downlink');
  const roundTrip = rows.some((row) => row.rttSeconds !== null);
  if (!roundTrip) {
    assumed.push('the trace measured no round trip: the controller assumes 0 and says so in each decision');
  }
  return {
    rows: rows.map((row) => ({
      ...row,
      uplinkBitsPerSecond: up ? row.uplinkBitsPerSecond : row.downlinkBitsPerSecond,
      downlinkBitsPerSecond: down ? row.downlinkBitsPerSecond : row.uplinkBitsPerSecond,
    })),
    assumed,
    measured: { uplink: up, downlink: down, roundTrip },
  };
}

/**
 * Replays `trace` from `offsetSeconds` (wrapped into its length, so that devices do not move in step), and
 * from its start again when it ends. A value that a row did not measure is the last one measured.
 */
export function createTraceLink(trace: Trace, offsetSeconds: number): Link {
  const first = trace.rows[0]!.atSeconds;
  const last = trace.rows.at(-1)!.atSeconds;
  const lengthSeconds = last - first + (last - first) / (trace.rows.length - 1);
  let position = ((offsetSeconds % lengthSeconds) + lengthSeconds) % lengthSeconds;
  return {
    advance(seconds) {
      position = (position + seconds) % lengthSeconds;
      return sampleAt(trace.rows, first + position);
    },
  };
}

function sampleAt(rows: readonly TraceRow[], atSeconds: number): LinkSample {
  let low = 0;
  let high = rows.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (rows[middle]!.atSeconds <= atSeconds) low = middle;
    else high = middle;
  }
  const latest = (key: 'uplinkBitsPerSecond' | 'downlinkBitsPerSecond' | 'rttSeconds'): number | null => {
    for (let index = low; index >= 0; index -= 1) {
      const value = rows[index]![key];
      if (value !== null) return value;
    }
    return null;
  };
  const uplink = latest('uplinkBitsPerSecond');
  const downlink = latest('downlinkBitsPerSecond');
  const rtt = latest('rttSeconds');
  return {
    ...(uplink === null ? {} : { uplinkBitsPerSecond: uplink }),
    ...(downlink === null ? {} : { downlinkBitsPerSecond: downlink }),
    ...(rtt === null ? {} : { rttSeconds: rtt }),
  };
}
