/** Numbers as people read them: three significant digits and the unit that fits. */

function threeDigits(value: number): string {
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  return value.toFixed(magnitude >= 99.95 ? 0 : magnitude >= 9.995 ? 1 : 2);
}

function scaled(value: number, units: readonly (readonly [number, string])[]): string {
  if (!Number.isFinite(value)) return '∞';
  const unit = units.find(([size]) => Math.abs(value) >= size * 0.9995) ?? units.at(-1)!;
  return `${threeDigits(value / unit[0])} ${unit[1]}`;
}

/** 0.0421 -> `42.1 ms`; infinity (a cut that cannot run) -> `∞`. */
export function formatSeconds(seconds: number): string {
  return scaled(seconds, [
    [1, 's'],
    [1e-3, 'ms'],
    [1e-6, 'µs'],
    [1e-9, 'ns'],
  ]);
}

/** 9.1e6 -> `9.10 Mbit/s`. */
export function formatRate(bitsPerSecond: number): string {
  return scaled(bitsPerSecond, [
    [1e9, 'Gbit/s'],
    [1e6, 'Mbit/s'],
    [1e3, 'kbit/s'],
    [1, 'bit/s'],
  ]);
}

/** 602112 -> `602 kB`. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, [
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
    [1, 'B'],
  ]);
}

/** 4089184256 -> `4.09 G`; units of a thousand, without a unit name. */
export function formatCount(count: number): string {
  return count < 1000
    ? String(count)
    : scaled(count, [
        [1e9, 'G'],
        [1e6, 'M'],
        [1e3, 'k'],
      ]);
}

/** Rows of cells as aligned columns, two blanks apart; columns named in `right` are aligned to the right. */
export function alignColumns(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, column) =>
        right.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
}
