/**
 * What the field publishes about these networks, each figure with its source. The builders count for themselves;
 * tests hold the two against each other.
 *
 * Parameters are learned ones (no running statistics of batch normalisation). MACs are multiply-accumulates of
 * convolutions and matrix products at batch 1. torchvision's figures are `num_params` and `_ops` of the weights'
 * metadata in its sources (torchvision/models, release 0.15 and later), the numbers of its documentation's table
 * "Table of all available classification weights"; `_ops` counts as here, attention's products included.
 */
export interface Published {
  /** Learned parameters. */
  readonly parameters: number;
  /** Multiply-accumulates of one inference at batch 1, as rounded by the source. */
  readonly macs: number;
  /** Where both figures come from, and how they were derived where a source says something else. */
  readonly source: string;
}

const torchvision = (file: string, parameters: number, gigaMacs: number, more = ''): Published => ({
  parameters,
  macs: gigaMacs * 1e9,
  source: `torchvision/models/${file}: num_params, _ops${more}`,
});

export const published = {
  'squeezenet-1.1': torchvision('squeezenet.py', 1_235_496, 0.349),
  googlenet: torchvision('googlenet.py', 6_624_904, 1.498, ' (without auxiliary heads)'),
  'resnet-18': torchvision('resnet.py', 11_689_512, 1.814),
  'resnet-50': torchvision('resnet.py', 25_557_032, 4.089),
} as const satisfies Record<string, Published>;
