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
  alexnet: torchvision('alexnet.py', 61_100_840, 0.714),
  'vgg-16': torchvision('vgg.py', 138_357_544, 15.47),
  'resnet-18': torchvision('resnet.py', 11_689_512, 1.814),
  'resnet-50': torchvision('resnet.py', 25_557_032, 4.089),
  googlenet: torchvision('googlenet.py', 6_624_904, 1.498, ' (without auxiliary heads)'),
  // num_params minus the auxiliary head: 1x1 conv 768-128 and 5x5 conv 128-768 with their normalisations, 768-1000 linear.
  'inception-v3': torchvision(
    'inception.py',
    27_161_264 - (768 * 128 + 2 * 128 + 128 * 768 * 25 + 2 * 768 + 768 * 1000 + 1000),
    5.713,
    ' (num_params 27,161,264 minus the auxiliary head)',
  ),
  'squeezenet-1.1': torchvision('squeezenet.py', 1_235_496, 0.349),
  'mobilenet-v2': torchvision('mobilenetv2.py', 3_504_872, 0.301),
  'densenet-121': torchvision('densenet.py', 7_978_856, 2.834),
  'efficientnet-b0': torchvision('efficientnet.py', 5_288_548, 0.386),
  'yolov3-tiny': {
    // 20 bytes of header, then float32; of each of the 3,184 normalised channels the mean and the variance are not learned.
    parameters: (35_434_956 - 20) / 4 - 2 * 3_184,
    macs: 5.56e9 / 2,
    source:
      'pjreddie.com/darknet/yolo: 5.56 Bn FLOPs at 416x416 (two per MAC); yolov3-tiny.weights of 35,434,956 bytes minus running statistics',
  },
  unet: {
    parameters: 31_030_658,
    macs: 150_428_424_448,
    source:
      'arXiv 1505.04597, Figure 1: MACs from the sizes printed there; parameters as counted by implementations of it (gchlebus/U-Net, jakeret/tf_unet)',
  },
  'bert-base': {
    parameters: 109_482_240,
    macs: 22.5e9 / 2,
    source:
      'bert-base-uncased (Hugging Face BertModel, embeddings and pooler included); arXiv 1909.10351, Table 1: 22.5 B FLOPs (two per MAC)',
  },
  'vit-b-16': torchvision('vision_transformer.py', 86_567_656, 17.564),
} as const satisfies Record<string, Published>;
