/** ViT-B/16: Dosovitskiy et al., arXiv 2010.11929, as torchvision builds it: 196 patches and a class token. */
import type { GraphBuilder, Value } from './builder.js';
import { add, concat, conv, gemm } from './operators.js';
import {
  attention,
  firstPosition,
  gelu,
  layerNorm,
  linear,
  reshape,
  transpose,
} from './transformerOperators.js';

const LAYERS = 12;
const HEADS = 12;
const FEATURES = 768;
const HIDDEN = 3072;
const PATCH = 16;
const PATCHES = (224 / PATCH) ** 2;
const EPSILON = 1e-6;
const EMBEDDING = { low: -0.05, high: 0.05, constant: 0.02 };

/** Image [batch, 3, 224, 224] to 1,000 scores. */
export function vitB16(g: GraphBuilder, batch: number): Value[] {
  const image = g.input('image', [batch, 3, 224, 224]);
  let x = conv(g, 'conv_proj', image, { out: FEATURES, kernel: PATCH, stride: PATCH, bias: true });
  x = transpose(g, 'patches', reshape(g, 'flatten', x, [batch, FEATURES, PATCHES]), [0, 2, 1]);
  const classToken = g.parameter('class_token', [1, 1, FEATURES], EMBEDDING);
  const classTokens = g.node('class_tokens', 'Expand', {
    inputs: [classToken, g.integers('class_tokens.shape', [batch, 1, FEATURES])],
    shape: [batch, 1, FEATURES],
  });
  x = concat(g, 'tokens', [classTokens, x]);
  const position = g.parameter('encoder.pos_embedding', [1, PATCHES + 1, FEATURES], EMBEDDING);
  x = add(g, 'encoder.embedded', x, position);
  for (let layer = 0; layer < LAYERS; layer++) {
    x = encoderLayer(g, `encoder.layers.encoder_layer_${layer}`, x);
  }
  x = firstPosition(g, 'class_features', layerNorm(g, 'encoder.ln', x, EPSILON));
  return [gemm(g, 'heads.head', x, 1000)];
}

function encoderLayer(g: GraphBuilder, name: string, x: Value): Value {
  const self = `${name}.self_attention`;
  const normed = layerNorm(g, `${name}.ln_1`, x, EPSILON);
  const projected = linear(g, `${self}.in_proj`, normed, 3 * FEATURES);
  const [query, key, value] = g.nodeOf(
    [`${self}.query`, `${self}.key`, `${self}.value`],
    `${self}.split`,
    'Split',
    {
      inputs: [projected, g.integers('split.sizes', [FEATURES, FEATURES, FEATURES])],
      shape: x.shape,
      attributes: { axis: { int: -1 } },
    },
  ) as [Value, Value, Value];
  const mixed = attention(g, self, { query, key, value, heads: HEADS });
  const y = add(g, `${name}.add_1`, linear(g, `${self}.out_proj`, mixed, FEATURES), x);
  const hidden = linear(g, `${name}.mlp.0`, layerNorm(g, `${name}.ln_2`, y, EPSILON), HIDDEN);
  const out = linear(g, `${name}.mlp.3`, gelu(g, `${name}.mlp.1`, hidden), FEATURES);
  return add(g, `${name}.add_2`, y, out);
}
