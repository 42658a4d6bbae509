/**
 * A recorded link as one sample per second. Within a second each quantity is the mean of its values, weighted by
 * how long each held; a value holds from its row until the next row that measured the quantity anew. The last row holds
 * for as long as rows are apart on average, and a last second that is not full is left out.
 */

/** A row of a recording; null: not measured. Times rise. */
export interface LinkRow {
  readonly atSeconds: number;
  readonly uplinkBitsPerSecond: number | null;
  readonly downlinkBitsPerSecond: number | null;
  readonly rttSeconds: number | null;
}

/** One second of a link; null where nothing was measured yet. */
export type LinkSecond = Omit<LinkRow, 'atSeconds'>;

const quantities = ['uplinkBitsPerSecond', 'downlinkBitsPerSecond', 'rttSeconds'] as const;

/**
 * At least one second.
 * @throws RangeError for fewer than two rows, times that do not rise, or more than `maxSeconds`
 */
export function resampleLink(rows: readonly LinkRow[], maxSeconds: number): LinkSecond[] {
  const first = rows[0];
  const last = rows.at(-1);
  if (first === undefined || last === undefined || rows.length < 2) {
    throw new RangeError('a recording needs at least two rows');
  }
  const span = last.atSeconds - first.atSeconds;
  const lengthSeconds = span + span / (rows.length - 1);
  const count = Math.max(1, Math.floor(lengthSeconds + 1e-6));
  if (count > maxSeconds)
    throw new RangeError(`the recording has ${count} s, at most ${maxSeconds} are replayed`);
  const sums = quantities.map((quantity) => sumsOf(rows, quantity, count, lengthSeconds));
  return Array.from({ length: count }, (_, second) => {
    const [up, down, rtt] = sums.map(({ amount, held }) =>
      held[second]! > 0 ? amount[second]! / held[second]! : null,
    );
    return { uplinkBitsPerSecond: up!, downlinkBitsPerSecond: down!, rttSeconds: rtt! };
  });
}

function sumsOf(
  rows: readonly LinkRow[],
  quantity: (typeof quantities)[number],
  count: number,
  lengthSeconds: number,
): { amount: Float64Array; held: Float64Array } {
  const amount = new Float64Array(count);
  const held = new Float64Array(count);
  const start = rows[0]!.atSeconds;
  let value: number | null = null;
  rows.forEach((row, i) => {
    value = row[quantity] ?? value;
    const from = row.atSeconds - start;
    const to = i + 1 < rows.length ? rows[i + 1]!.atSeconds - start : lengthSeconds;
    if (!(to > from))
      throw new RangeError(`rows[${i + 1}]: its time does not come after that of the row before`);
    if (value === null) return;
    for (let second = Math.floor(from); second < Math.min(to, count); second++) {
      const share = Math.min(to, second + 1) - Math.max(from, second);
      amount[second]! += share * value;
      held[second]! += share;
    }
  });
  return { amount, held };
}
