/**
 * The layer graph: what is cut.
 *
 * Layers are groups of ONNX operators that are never worth cutting inside; tensors are what flows
 * between them. Constants and weights are no tensors here: they belong to the layers that use them.
 * Layers stand in topological order: a tensor's producer has a smaller index than its consumers.
 */

export interface Layer {
  readonly name: string;
  /** ONNX operator types of the original model, in execution order. */
  readonly operators: readonly string[];
  /** Bytes of the constants that this layer reads. A weight that several layers share counts at each. */
  readonly weightBytes: number;
  /** Bytes of all tensors alive while this layer runs, when the whole model runs in the order of `layers`. */
  readonly workingBytes: number;
  /** Multiply-accumulate operations; null where an operator's count is not defined (control flow, custom operators). */
  readonly macs: number | null;
}

export interface Tensor {
  /** Name in the original ONNX model, so that a cut of layers is a cut of that model. */
  readonly name: string;
  /** ONNX element type in lower case: `float32`, `float16`, `int64`, `uint8`, `bool`, `string` … */
  readonly type: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Index of the layer that writes it; null for an input of the model. */
  readonly producer: number | null;
  /** Indices of the layers that read it, ascending, without repetition. */
  readonly consumers: readonly number[];
  /** True when the model returns this tensor. */
  readonly isOutput: boolean;
}

export interface LayerGraph {
  /** Name of the model. */
  readonly name: string;
  readonly layers: readonly Layer[];
  /** Inputs of the model, tensors between layers, outputs of the model. A tensor nobody reads or returns is left out. */
  readonly tensors: readonly Tensor[];
}
