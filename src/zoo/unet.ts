/**
 * U-Net: Ronneberger, Fischer and Brox, arXiv 1505.04597, Figure 1, as in the paper: one grey channel of 572x572,
 * convolutions without padding, skips cropped to the middle, 2x2 up-convolutions, two classes on 388x388.
 */
import type { GraphBuilder, Value } from './builder.js';
import { centerCrop, concat, conv, maxPool, relu, upConv } from './operators.js';

const CHANNELS = [64, 128, 256, 512];
const BOTTOM_CHANNELS = 1024;

/** Image [batch, 1, 572, 572] to two scores for each of 388x388 pixels. */
export function unet(g: GraphBuilder, batch: number): Value[] {
  let x = g.input('image', [batch, 1, 572, 572]);
  const skips: Value[] = [];
  CHANNELS.forEach((channels, at) => {
    const skip = doubleConv(g, `down${at + 1}`, x, channels);
    skips.push(skip);
    x = maxPool(g, `down${at + 1}.pool`, skip, { kernel: 2, stride: 2 });
  });
  x = doubleConv(g, 'bottom', x, BOTTOM_CHANNELS);
  for (let at = CHANNELS.length; at >= 1; at--) {
    const channels = CHANNELS[at - 1]!;
    x = upConv(g, `up${at}.upconv`, x, channels, 2);
    const [height, width] = [x.shape[2]!, x.shape[3]!];
    const skip = centerCrop(g, `up${at}.crop`, skips[at - 1]!, height, width);
    x = doubleConv(g, `up${at}`, concat(g, `up${at}.concat`, [skip, x]), channels);
  }
  return [conv(g, 'scores', x, { out: 2, kernel: 1, bias: true })];
}

function doubleConv(g: GraphBuilder, name: string, x: Value, out: number): Value {
  const y = relu(g, `${name}.relu1`, conv(g, `${name}.conv1`, x, { out, kernel: 3, bias: true }));
  return relu(g, `${name}.relu2`, conv(g, `${name}.conv2`, y, { out, kernel: 3, bias: true }));
}
