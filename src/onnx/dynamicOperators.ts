/**
 * Which operators really run for each inference. The rest is constant once the shapes of the inputs are
 * fixed: what reads only constants, and sub-graphs that only compute shapes.
 */
import type { Operator, OperatorGraph } from './operatorGraph.js';
import { isRandom, type RuntimeGraph } from './runtimeGraph.js';

/** Per operator: true where it depends on an input's values and leads to an output of the model. */
export function findDynamicOperators(operators: OperatorGraph, runtime: RuntimeGraph): boolean[] {
  const keptQueries = new Set<string>();
  for (const node of runtime.nodes) {
    if (!isShapeQuery(node.operator)) continue;
    for (const name of [...node.reads, ...node.writes]) keptQueries.add(`${node.operator}\n${name}`);
  }
  const varying = new Set(operators.inputs.map((input) => input.name));
  const dynamic = operators.operators.map((operator) => {
    const reads = operator.reads.some((name) => varying.has(name));
    const runs = isRandom(operator.type) || (reads && !isFolded(operator, keptQueries));
    if (runs) for (const name of operator.writes) varying.add(name);
    return runs;
  });
  const needed = new Set(operators.outputs);
  for (const operator of [...operators.operators].reverse()) {
    if (!dynamic[operator.index]) continue;
    if (!operator.writes.some((name) => needed.has(name))) dynamic[operator.index] = false;
    else for (const name of operator.reads) needed.add(name);
  }
  return dynamic;
}

function isShapeQuery(type: string): boolean {
  return type === 'Shape' || type === 'Size';
}

/** A question for a shape is constant unless the runtime still asks it after optimisation: then the shape depends on values. */
function isFolded(operator: Operator, keptQueries: ReadonlySet<string>): boolean {
  return (
    operator.domain === '' &&
    isShapeQuery(operator.type) &&
    ![...operator.reads, ...operator.writes].some((name) => keptQueries.has(`${operator.type}\n${name}`))
  );
}
