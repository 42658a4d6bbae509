/** How cuts compare by the requirements that they break. A link that is gone is none of them here: it is a cost. */
import type { Violation } from '../decision.js';

/** That a link is gone is a cost, as long as unanswered requests are done by the end device. */
export function isLink({ constraint }: Violation): boolean {
  return constraint.startsWith('hops[');
}

function isRequirement(violation: Violation): boolean {
  return !isLink(violation);
}

export function breaksRequirement(violations: readonly Violation[]): boolean {
  return violations.some(isRequirement);
}

/** Whether `a` keeps a requirement that `b` breaks, and breaks none of those that are given up later than that one. */
export function breaksLess(a: readonly Violation[], b: readonly Violation[]): boolean {
  const namesOfA = a.filter(isRequirement).map(({ constraint }) => constraint);
  const namesOfB = b.filter(isRequirement).map(({ constraint }) => constraint);
  // Violations stand in the order in which bounds are kept, so the first difference decides.
  for (const [i, name] of namesOfB.entries()) {
    if (namesOfA[i] === name) continue;
    return !namesOfA.slice(i).some((other) => isKeptLonger(other, name));
  }
  return false;
}

const keptOrder = [
  'privacyDepth',
  'weightBytes',
  'memoryBytes',
  'accuracyLoss',
  'bytesSent',
  'energy',
  'latency',
];

function isKeptLonger(a: string, b: string): boolean {
  const rank = (name: string): number => keptOrder.findIndex((part) => name.includes(part));
  return rank(a) < rank(b) || (rank(a) === rank(b) && a < b);
}

/** Whether `a` breaks nothing but what `b` breaks as well, and by no other measure than within `share`. */
export function breaksAlike(a: readonly Violation[], b: readonly Violation[], share: number): boolean {
  return a.every(({ constraint, value }) => {
    const other = b.find((violation) => violation.constraint === constraint);
    return (
      other !== undefined &&
      (value === other.value || Math.abs(value - other.value) <= share * Math.abs(other.value))
    );
  });
}
