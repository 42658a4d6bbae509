/** Type and shape of every tensor of the original model, taken from a run and not inferred. */
import type { Tensor } from 'onnxruntime-node';
import { tensorBytes } from './elementTypes.js';
import type { ChosenInput } from './inputs.js';
import type { OperatorGraph } from './operatorGraph.js';
import type { NodeEvent, TensorFacts } from './profileEvents.js';
import { isWidened, joinRun, originalTensor, type RuntimeGraph } from './runtimeGraph.js';

export interface KnownTensor extends TensorFacts {
  /** Bytes when it is sent. */
  readonly bytes: number;
}

/**
 * Facts by name for inputs, outputs, stored tensors and what the operators write. A name is missing
 * where no value of that name was seen, or it was no tensor, or a text whose length is not known:
 * such a tensor is never a place to cut at.
 */
export function gatherTensorFacts(
  operators: OperatorGraph,
  inputs: readonly ChosenInput[],
  graph: RuntimeGraph,
  run: readonly NodeEvent[],
  outputs: Readonly<Record<string, Tensor>>,
): Map<string, KnownTensor> {
  const known = new Map<string, KnownTensor>();
  const add = (name: string, { type, shape }: TensorFacts, bytes = tensorBytes(type, shape)): void => {
    if (bytes !== null) known.set(name, { type, shape, bytes });
  };
  for (const [name, tensor] of operators.stored) add(name, tensor, tensor.bytes);
  for (const [name, tensor] of graph.stored) {
    if (operators.producerOf.has(name)) add(name, tensor, tensor.bytes); // a Constant that became a stored tensor
  }
  const isOriginal = (name: string): boolean => operators.producerOf.has(name);
  const { events } = joinRun(graph, run);
  graph.nodes.forEach((node, index) => {
    const event = events[index];
    // The runtime leaves out what is no tensor: then nothing says which entry belongs to which name.
    if (!event || event.writes.length !== node.writes.length) return;
    node.writes.forEach((runtimeName, place) => {
      const name = originalTensor(runtimeName, isOriginal);
      const { type, shape } = event.writes[place]!;
      if (name !== null && (name === runtimeName || !known.has(name))) {
        add(name, { type: isWidened(runtimeName) && type === 'float32' ? 'float16' : type, shape });
      }
    });
  });
  for (const input of inputs)
    add(input.name, input, input.type === 'string' ? textBytes('text', input) : undefined);
  for (const [name, tensor] of Object.entries(outputs)) {
    add(
      name,
      { type: tensor.type, shape: tensor.dims },
      tensor.type === 'string' ? sizeOfTexts(tensor) : undefined,
    );
  }
  return known;
}

/** Four bytes of length and the text in UTF-8, for each element. */
function sizeOfTexts(tensor: Tensor): number {
  return (tensor.data as string[]).reduce((sum, text) => sum + 4 + Buffer.byteLength(text), 0);
}

function textBytes(text: string, input: ChosenInput): number {
  return input.shape.reduce((product, dimension) => product * dimension, 1) * (4 + Buffer.byteLength(text));
}
