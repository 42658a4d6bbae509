/** One plot of a chart: axes with units, lines and areas, as SVG elements. */

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Maps values to pixels along one axis. */
export interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

/** Text for use between tags or in an attribute. */
export function escapeXml(text: string): string {
  return (
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      // Control characters have no place in XML, not even escaped.
      .replaceAll(/\p{Cc}/gu, ' ')
  );
}

/** Ticks at 1, 2 or 5 times a power of ten, about `count` of them. */
export function linearScale(
  domain: readonly [number, number],
  range: readonly [number, number],
  count: number,
): Scale {
  const [low, high] = domain[1] > domain[0] ? domain : [domain[0], domain[0] + 1];
  const at = (value: number): number => range[0] + ((value - low) / (high - low)) * (range[1] - range[0]);
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? 10 * power;
  const ticks = [];
  for (let index = Math.ceil(low / step); index * step <= high + step * 1e-9; index += 1) {
    ticks.push({ value: index * step, label: String(Number((index * step).toPrecision(6))) });
  }
  return { at, ticks };
}

/**
 * A logarithmic axis over the values, widened to whole 1-2-5 steps; `label` writes a tick. Values must be
 * above 0; anything below the axis is drawn at its foot.
 */
export function logScale(
  values: readonly number[],
  range: readonly [number, number],
  label: (value: number) => string,
): Scale {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  const low = stepAtMost(positive.length > 0 ? Math.min(...positive) : 1);
  let high = stepAtLeast(positive.length > 0 ? Math.max(...positive) : 10);
  if (high <= low) high = low * 10;
  const span = Math.log(high / low);
  const at = (value: number): number =>
    range[0] + (Math.log(Math.max(low, Math.min(high, value)) / low) / span) * (range[1] - range[0]);
  const decades = Math.log10(high / low);
  const room = Math.abs(range[1] - range[0]);
  // Labels need about 16 pixels each.
  const factors = [[1, 2, 5], [1, 3], [1]].find((some) => decades * some.length * 16 <= room) ?? [1];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const factor of factors) {
      const value = factor * 10 ** power;
      if (value >= low * 0.999 && value <= high * 1.001) ticks.push({ value, label: label(value) });
    }
  }
  return { at, ticks };
}

function stepAtMost(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([5, 2, 1].find((factor) => factor * power <= value * 1.000001) ?? 1) * power;
}

function stepAtLeast(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((factor) => factor * power >= value * 0.999999) ?? 10) * power;
}

export function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Grid lines and tick labels to the left of `box`. */
export function leftAxis(box: Box, scale: Scale): string {
  return scale.ticks
    .map(({ value, label }) => {
      const y = round(scale.at(value));
      return (
        `<line class="grid" x1="${box.x}" x2="${box.x + box.width}" y1="${y}" y2="${y}"/>` +
        `<text class="tick" text-anchor="end" x="${box.x - 5}" y="${y}" dy="0.32em">${escapeXml(label)}</text>`
      );
    })
    .join('');
}

/** Ticks and labels below `box`. */
export function bottomAxis(box: Box, scale: Scale, unit: string): string {
  const foot = box.y + box.height;
  return scale.ticks
    .map(({ value, label }, index) => {
      const x = round(scale.at(value));
      const text = index === scale.ticks.length - 1 ? `${label} ${unit}` : label;
      return (
        `<line class="axis" x1="${x}" x2="${x}" y1="${foot}" y2="${foot + 4}"/>` +
        `<text class="tick" text-anchor="middle" x="${x}" y="${foot + 15}">${escapeXml(text)}</text>`
      );
    })
    .join('');
}

/** A value that holds until the next one, as measurements and cuts do; null leaves a gap. */
export function stepPath(points: readonly (readonly [number, number | null])[], endX: number): string {
  let path = '';
  let y: number | null = null;
  for (const [x, next] of points) {
    if (y !== null) path += `H${round(x)}`;
    if (next !== null) path += y === null ? `M${round(x)} ${round(next)}` : `V${round(next)}`;
    y = next;
  }
  return y === null ? path : `${path}H${round(endX)}`;
}
