/** What can be said of a model without running it. */
import { readModel } from './decode.js';
import { elementCount } from './elementTypes.js';
import { isOpen, shapeWithBatch } from './inputs.js';
import { DEFAULT_IMPORT_LIMITS, type ImportLimits } from './limits.js';
import { buildOperatorGraph, type DeclaredInput } from './operatorGraph.js';
import { storedBytes, storedShape } from './storedTensors.js';
import { graphsWithin, tensorsStoredIn } from './walk.js';

export interface ModelInspection {
  readonly name: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly irVersion: number;
  readonly producer: string;
  /** Operator set version by domain; the standard domain is `ai.onnx`. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly DeclaredInput[];
  readonly outputs: readonly string[];
  /** How many operators of each type, those inside branches and loops not counted. */
  readonly operators: Readonly<Record<string, number>>;
  readonly operatorCount: number;
  /** Elements and bytes of the stored weights; operators that make weights from nothing are not run for this. */
  readonly parameterCount: number;
  readonly parameterBytes: number;
  /** Inputs whose shape must be given, each with a shape for one item where only the batch is open. */
  readonly shapesNeeded: Readonly<Record<string, readonly number[] | null>>;
}

/**
 * Reads and checks a model; nothing is run.
 * @throws ImportRefused as an import would before running it
 */
export async function inspectModel(
  file: string,
  limits: ImportLimits = DEFAULT_IMPORT_LIMITS,
): Promise<ModelInspection> {
  const { proto, graph, bytes, sha256, name, externalFiles } = await readModel(file, limits);
  const { operators, inputs, outputs } = buildOperatorGraph(graph);
  const counts: Record<string, number> = {};
  for (const { type } of operators) counts[type] = (counts[type] ?? 0) + 1;
  let parameterCount = 0;
  let parameterBytes = 0;
  for (const each of graphsWithin(graph)) {
    for (const tensor of tensorsStoredIn(each)) {
      parameterCount += elementCount(storedShape(tensor));
      parameterBytes += storedBytes(tensor);
    }
  }
  return {
    name,
    sha256,
    sizeBytes: externalFiles.reduce((sum, external) => sum + external.bytes.length, bytes.length),
    irVersion: Number(proto.irVersion),
    producer: `${proto.producerName} ${proto.producerVersion}`.trim(),
    opsets: Object.fromEntries(
      proto.opsetImport.map(({ domain, version }) => [domain === '' ? 'ai.onnx' : domain, Number(version)]),
    ),
    inputs,
    outputs,
    operators: Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1))),
    operatorCount: operators.length,
    parameterCount,
    parameterBytes,
    shapesNeeded: Object.fromEntries(
      inputs.filter(isOpen).map((input) => [input.name, shapeWithBatch(input, 1)]),
    ),
  };
}
