/** What a model may not contain, refused in the user's words before the runtime sees it. */
import { ImportRefused } from '../control/ports.js';
import type { ImportLimits } from './limits.js';
import type { GraphProto, ModelProto, TypeProto, ValueInfoProto } from './proto/onnx_pb.js';
import { graphsWithin, nodesWithin } from './walk.js';

/** Operator domains that the runtime brings along. */
const KNOWN_DOMAINS: ReadonlySet<string> = new Set([
  '',
  'ai.onnx',
  'ai.onnx.ml',
  'ai.onnx.training',
  'ai.onnx.preview.training',
  'com.microsoft',
  'com.microsoft.nchwc',
  'com.microsoft.experimental',
  'com.ms.internal.nhwc',
  'org.pytorch.aten',
]);

const VALUE_KINDS: Readonly<Record<string, string>> = {
  sequenceType: 'a sequence',
  mapType: 'a map',
  optionalType: 'an optional value',
  sparseTensorType: 'a sparse tensor',
};

/** @throws ImportRefused `no-opset` */
export function checkOpset(proto: ModelProto): void {
  if (proto.opsetImport.length === 0) {
    throw new ImportRefused(
      'no-opset',
      'The model does not say which operator set (opset_import) it was written for, so its operators have no defined meaning. Export it again with a current exporter.',
    );
  }
}

/** @throws ImportRefused `no-operators`, `too-large`, `custom-domain` */
export function checkOperators(proto: ModelProto, graph: GraphProto, limits: ImportLimits): void {
  if (graph.node.length === 0) {
    throw new ImportRefused('no-operators', 'The model has no operators: there is nothing to run or to cut.');
  }
  if (graph.node.length > limits.maxOperators) {
    throw new ImportRefused(
      'too-large',
      `The model has ${graph.node.length} operators; the limit is ${limits.maxOperators}.`,
    );
  }
  const defined = new Set(proto.functions.map((each) => `${each.domain}:${each.name}`));
  const custom = new Map<string, Set<string>>();
  for (const node of nodesWithin(graph)) {
    if (KNOWN_DOMAINS.has(node.domain) || defined.has(`${node.domain}:${node.opType}`)) continue;
    custom.set(node.domain, (custom.get(node.domain) ?? new Set()).add(node.opType));
  }
  if (custom.size > 0) {
    const list = [...custom].map(([domain, types]) => `${[...types].sort().join(', ')} (domain ${domain})`);
    throw new ImportRefused(
      'custom-domain',
      `The model uses operators that only a private extension of the runtime knows: ${list.join('; ')}. Export it without them.`,
    );
  }
}

/** What the runtime writes into its JSON record as it is, so that the record cannot be read. */
const UNREADABLE = /["\\\u0000-\u001f]/;

/** @throws ImportRefused `bad-name` */
export function checkNames(graph: GraphProto): void {
  for (const each of graphsWithin(graph)) {
    const nodes = each.node.flatMap((node) => [node.name, ...node.output]);
    const values = [...each.input, ...each.initializer].map((value) => value.name);
    const wrong = [...nodes, ...values].find((name) => UNREADABLE.test(name));
    if (wrong !== undefined) {
      throw new ImportRefused(
        'bad-name',
        `The name ${JSON.stringify(wrong.slice(0, 200))} has a quotation mark, a backslash or a control character, with which the runtime cannot measure. Rename it.`,
      );
    }
  }
}

/** @throws ImportRefused `sequence-type`, `not-onnx` */
export function checkValueTypes(graph: GraphProto): void {
  const stored = new Set(graph.initializer.map((tensor) => tensor.name));
  const given = graph.input.filter((input) => !stored.has(input.name));
  for (const input of given) checkValueType('input', input);
  for (const output of graph.output) checkValueType('output', output);
  if (graph.output.length === 0) {
    throw new ImportRefused('not-onnx', 'The model returns nothing: its graph has no outputs.');
  }
  if (given.length === 0) {
    throw new ImportRefused(
      'no-inputs',
      'The model has no inputs: its result is a constant, so there is nothing to cut.',
    );
  }
}

function checkValueType(role: string, value: ValueInfoProto): void {
  const type: TypeProto | undefined = value.type;
  const kind = type?.value.case;
  if (kind !== undefined && kind !== 'tensorType') {
    throw new ImportRefused(
      'sequence-type',
      `The ${role} "${value.name}" is ${VALUE_KINDS[kind] ?? kind}; only tensors can be sent between devices. Export the model with plain tensors.`,
    );
  }
  if (kind === undefined && role === 'input') {
    throw new ImportRefused('not-onnx', `The input "${value.name}" has no type.`);
  }
}
