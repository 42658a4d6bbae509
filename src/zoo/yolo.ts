/**
 * YOLOv3-tiny for the 80 classes of COCO: Redmon and Farhadi, arXiv 1804.02767, layers and numbers of darknet's
 * cfg/yolov3-tiny.cfg. The two outputs are the maps that darknet's [yolo] layers decode into boxes: 3 anchors of
 * 4 coordinates, 1 confidence and 80 classes for each cell; decoding has no weights and hardly any cost.
 */
import type { GraphBuilder, Value } from './builder.js';
import { batchNorm, concat, conv, maxPool, unary, upsampleNearest } from './operators.js';

const MAP_CHANNELS = 3 * (4 + 1 + 80);
const HALVING_POOL = { kernel: 2, stride: 2 };

/** Image [batch, 3, 416, 416] to maps of 13x13 and 26x26 cells; names bear the layer's number in the cfg. */
export function yolov3Tiny(g: GraphBuilder, batch: number): Value[] {
  let x = g.input('image', [batch, 3, 416, 416]);
  [16, 32, 64, 128].forEach((out, at) => {
    x = convBnLeaky(g, 2 * at, x, out, 3);
    x = maxPool(g, `maxpool_${2 * at + 1}`, x, HALVING_POOL);
  });
  const fine = convBnLeaky(g, 8, x, 256, 3);
  x = maxPool(g, 'maxpool_9', fine, HALVING_POOL);
  x = convBnLeaky(g, 10, x, 512, 3);
  // darknet keeps the size of a pool of stride 1 by padding below and to the right.
  x = maxPool(g, 'maxpool_11', x, { kernel: 2, stride: 1, pad: 0, padEnd: 1 });
  x = convBnLeaky(g, 12, x, 1024, 3);
  const coarse = convBnLeaky(g, 13, x, 256, 1);
  x = convBnLeaky(g, 14, coarse, 512, 3);
  const coarseMap = conv(g, 'conv_15', x, { out: MAP_CHANNELS, kernel: 1, bias: true });
  x = convBnLeaky(g, 18, coarse, 128, 1);
  x = upsampleNearest(g, 'upsample_19', x, 2);
  x = concat(g, 'route_20', [x, fine]);
  x = convBnLeaky(g, 21, x, 256, 3);
  return [coarseMap, conv(g, 'conv_22', x, { out: MAP_CHANNELS, kernel: 1, bias: true })];
}

function convBnLeaky(g: GraphBuilder, index: number, x: Value, out: number, kernel: number): Value {
  const filtered = conv(g, `conv_${index}`, x, { out, kernel, pad: (kernel - 1) / 2 });
  const normed = batchNorm(g, `conv_${index}.bn`, filtered);
  return unary(g, `conv_${index}.leaky`, 'LeakyRelu', normed, { alpha: { float: 0.1 } });
}
