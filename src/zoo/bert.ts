/**
 * BERT-base, uncased: Devlin et al., arXiv 1810.04805: 12 layers of 768 features and 12 heads, for 128 tokens, with
 * the embeddings of its 30,522 words in front and the pooler behind, as the exported model has them.
 */
import type { GraphBuilder, Value } from './builder.js';
import { add, gemm, multiply, unary } from './operators.js';
import { attention, firstPosition, gelu, layerNorm, linear } from './transformerOperators.js';

const LAYERS = 12;
const HEADS = 12;
const FEATURES = 768;
const HIDDEN = 3072;
const TOKENS = 128;
const VOCABULARY = 30_522;
const POSITIONS = 512;
const SEGMENTS = 2;
const EPSILON = 1e-12;
/** What a position that the mask leaves out loses before the softmax. */
const MASKED = -10_000;
const EMBEDDING = { low: -0.05, high: 0.05, constant: 0.02 };

/** Token ids, mask (1: a token, 0: padding) and segment ids, each int64 [batch, 128], to features and pooled features. */
export function bertBase(g: GraphBuilder, batch: number): Value[] {
  const ids = g.input('input_ids', [batch, TOKENS], 'int64');
  const mask = additiveMask(g, g.input('attention_mask', [batch, TOKENS], 'int64'));
  const segments = g.input('token_type_ids', [batch, TOKENS], 'int64');
  let x = embeddings(g, ids, segments);
  for (let layer = 0; layer < LAYERS; layer++) x = encoderLayer(g, `encoder.layer.${layer}`, x, mask);
  const pooled = gemm(g, 'pooler.dense', firstPosition(g, 'pooler.first', x), FEATURES);
  return [x, unary(g, 'pooler.activation', 'Tanh', pooled)];
}

function embeddings(g: GraphBuilder, ids: Value, segments: Value): Value {
  const positions = g.integers('embeddings.position_ids', [...Array(TOKENS).keys()]);
  const look = (name: string, entries: number, indices: Value) =>
    g.node(`embeddings.${name}`, 'Gather', {
      inputs: [g.parameter(`embeddings.${name}.weight`, [entries, FEATURES], EMBEDDING), indices],
      shape: [...indices.shape, FEATURES],
    });
  const words = look('word_embeddings', VOCABULARY, ids);
  const sum = add(g, 'embeddings.add_1', words, look('token_type_embeddings', SEGMENTS, segments));
  const all = add(g, 'embeddings.add_2', sum, look('position_embeddings', POSITIONS, positions));
  return layerNorm(g, 'embeddings.LayerNorm', all, EPSILON);
}

/** [batch, tokens] of 1 and 0 to [batch, 1, 1, tokens] of 0 and {@link MASKED}. */
function additiveMask(g: GraphBuilder, mask: Value): Value {
  const shape = [mask.shape[0]!, 1, 1, TOKENS];
  const wide = g.node('mask.unsqueeze', 'Unsqueeze', {
    inputs: [mask, g.integers('mask.axes', [1, 2])],
    shape,
    type: 'int64',
  });
  const float = g.node('mask.cast', 'Cast', { inputs: [wide], shape, attributes: { to: { int: 1 } } });
  const inverted = g.node('mask.sub', 'Sub', { inputs: [g.scalar('mask.one', 1), float], shape });
  return multiply(g, 'mask.mul', inverted, g.scalar('mask.low', MASKED));
}

function encoderLayer(g: GraphBuilder, name: string, x: Value, mask: Value): Value {
  const self = `${name}.attention.self`;
  const mixed = attention(g, self, {
    query: linear(g, `${self}.query`, x, FEATURES),
    key: linear(g, `${self}.key`, x, FEATURES),
    value: linear(g, `${self}.value`, x, FEATURES),
    heads: HEADS,
    mask,
  });
  const attended = linear(g, `${name}.attention.output.dense`, mixed, FEATURES);
  const residual = add(g, `${name}.attention.output.add`, attended, x);
  const y = layerNorm(g, `${name}.attention.output.LayerNorm`, residual, EPSILON);
  const hidden = gelu(g, `${name}.intermediate.gelu`, linear(g, `${name}.intermediate.dense`, y, HIDDEN));
  const out = add(g, `${name}.output.add`, linear(g, `${name}.output.dense`, hidden, FEATURES), y);
  return layerNorm(g, `${name}.output.LayerNorm`, out, EPSILON);
}
