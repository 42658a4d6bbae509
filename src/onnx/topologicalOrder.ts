/** Kahn's algorithm with a heap, so that the order is the same on every machine. */

/**
 * Indices in topological order, always the smallest that is ready (so the order is the same everywhere).
 * Shorter than `waitingFor` where there is a circle. `waitingFor` (number of edges that lead in) is used up.
 */
export function topologicalOrder(waitingFor: number[], readers: readonly (readonly number[])[]): number[] {
  const ready = new MinHeap();
  waitingFor.forEach((count, index) => {
    if (count === 0) ready.push(index);
  });
  const order: number[] = [];
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    order.push(next);
    for (const reader of readers[next]!) {
      waitingFor[reader]! -= 1;
      if (waitingFor[reader] === 0) ready.push(reader);
    }
  }
  return order;
}

/** A binary heap of numbers, the smallest on top. */
class MinHeap {
  readonly #items: number[] = [];

  push(item: number): void {
    const items = this.#items;
    let place = items.push(item) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (items[parent]! <= item) break;
      items[place] = items[parent]!;
      place = parent;
    }
    items[place] = item;
  }

  pop(): number | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (top === undefined || last === undefined || items.length === 0) return top;
    let place = 0;
    for (let child = 1; child < items.length; child = 2 * place + 1) {
      if (child + 1 < items.length && items[child + 1]! < items[child]!) child += 1;
      if (items[child]! >= last) break;
      items[place] = items[child]!;
      place = child;
    }
    items[place] = last;
    return top;
  }
}
