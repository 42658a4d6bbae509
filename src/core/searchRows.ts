/**
 * The features of the states, and of the nodes of the tree above them, laid out for a search: what an objective prices
 * (seconds, hops, bytes) in one array, what a bound limits alone in another, so that a state that is too dear
 * costs the reading of its prices only. Rows of siblings and of the states of a leaf lie side by side.
 */
import type { BoundTree } from './boundTree.js';
import { leafStart } from './boundTree.js';
import { boundedColumns, readColumns } from './boundedColumns.js';
import type { FeatureLayout } from './features.js';

export interface SearchRows {
  /** Rows of `layout.weights` values: the features before the weights. */
  readonly priced: Float64Array;
  /** Rows of `boundedColumns(layout).count` values. */
  readonly bounded: Float64Array;
}

/** @param features rows of `layout.length`, in the order in which a search shall read them */
export function searchRows(features: Float64Array, layout: FeatureLayout): SearchRows {
  const count = features.length / layout.length;
  const columns = boundedColumns(layout);
  const pricedWidth = layout.weights;
  const priced = new Float64Array(count * pricedWidth);
  const bounded = new Float64Array(count * columns.count);
  for (let row = 0; row < count; row++) {
    const from = row * layout.length;
    for (let f = 0; f < pricedWidth; f++) priced[row * pricedWidth + f] = features[from + f]!;
    readColumns(layout, columns, features, from, bounded, row * columns.count);
  }
  return { priced, bounded };
}

/** Row i is the componentwise minimum of the states below node i of the tree; row 0 is unused. */
export function nodeRows(
  states: SearchRows,
  count: number,
  { leafCount }: Pick<BoundTree, 'leafCount'>,
): SearchRows {
  return {
    priced: minima(states.priced, states.priced.length / count, count, leafCount),
    bounded: minima(states.bounded, states.bounded.length / count, count, leafCount),
  };
}

function minima(rows: Float64Array, width: number, count: number, leafCount: number): Float64Array {
  const corners = new Float64Array(2 * leafCount * width).fill(Infinity);
  const lower = (node: number, from: Float64Array, row: number): void => {
    for (let f = 0; f < width; f++) {
      const value = from[row * width + f]!;
      if (value < corners[node * width + f]!) corners[node * width + f] = value;
    }
  };
  for (let leaf = 0; leaf < leafCount; leaf++) {
    const end = leafStart(leaf + 1, leafCount, count);
    for (let row = leafStart(leaf, leafCount, count); row < end; row++) lower(leafCount + leaf, rows, row);
  }
  for (let node = leafCount - 1; node >= 1; node--) {
    lower(node, corners, 2 * node);
    lower(node, corners, 2 * node + 1);
  }
  return corners;
}
