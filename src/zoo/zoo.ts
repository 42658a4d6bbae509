/**
 * The networks of the field as ONNX files, built from their published architectures.
 *
 * Nothing is downloaded and nothing was trained: weights come from a seed, so a network computes at the real
 * cost with the real tensor sizes, and its answers mean nothing.
 */
import { rename, rm, open } from 'node:fs/promises';
import { alexnet } from './alexnet.js';
import { bertBase } from './bert.js';
import { GraphBuilder } from './builder.js';
import type { ElementType, Value } from './builder.js';
import { densenet121 } from './densenet.js';
import { efficientnetB0 } from './efficientnet.js';
import { googlenet } from './googlenet.js';
import { inceptionV3 } from './inception.js';
import { mobilenetV2 } from './mobilenet.js';
import { published } from './published.js';
import type { Published } from './published.js';
import { resnet18, resnet50 } from './resnet.js';
import { squeezenet11 } from './squeezenet.js';
import { unet } from './unet.js';
import { vgg16 } from './vgg.js';
import { vitB16 } from './vit.js';
import { yolov3Tiny } from './yolo.js';

export type ZooName = keyof typeof published;

interface Entry {
  readonly title: string;
  readonly build: (g: GraphBuilder, batch: number) => Value[];
}

const entries: Readonly<Record<ZooName, Entry>> = {
  alexnet: { title: 'AlexNet', build: alexnet },
  'vgg-16': { title: 'VGG-16', build: vgg16 },
  'resnet-18': { title: 'ResNet-18', build: resnet18 },
  'resnet-50': { title: 'ResNet-50', build: resnet50 },
  googlenet: { title: 'GoogLeNet', build: googlenet },
  'inception-v3': { title: 'Inception-v3', build: inceptionV3 },
  'squeezenet-1.1': { title: 'SqueezeNet 1.1', build: squeezenet11 },
  'mobilenet-v2': { title: 'MobileNetV2', build: mobilenetV2 },
  'densenet-121': { title: 'DenseNet-121', build: densenet121 },
  'efficientnet-b0': { title: 'EfficientNet-B0', build: efficientnetB0 },
  'yolov3-tiny': { title: 'YOLOv3-tiny', build: yolov3Tiny },
  unet: { title: 'U-Net', build: unet },
  'bert-base': { title: 'BERT-base', build: bertBase },
  'vit-b-16': { title: 'ViT-B/16', build: vitB16 },
};

const MAX_SEED = 2 ** 32 - 1;
const MAX_BATCH = 1024;

/** The names that {@link buildZooModel} knows. */
export const zooNames: readonly ZooName[] = Object.freeze(Object.keys(entries) as ZooName[]);

/** A wrong request to the zoo, or a file that could not be written. */
export class ZooError extends Error {
  override readonly name = 'ZooError';
  constructor(
    readonly code: 'unknown-network' | 'wrong-option' | 'cannot-write',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface ZooOptions {
  /** Integer from 0 to 2^32 - 1, default 1. The same seed gives the same bytes. */
  readonly seed?: number | undefined;
  /**
   * `random` (default): float32 weights scaled as for training. `constant`: each weight of more than 32 elements
   * is one constant that the runtime makes when it loads the file, which then has some 10 to 300 KB.
   */
  readonly weights?: 'random' | 'constant' | undefined;
  /** Inferences per run, default 1. */
  readonly batch?: number | undefined;
}

export interface ZooTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** A built network. Weights are made when the bytes are asked for. */
export interface ZooModel {
  readonly name: ZooName;
  readonly title: string;
  readonly inputs: readonly ZooTensor[];
  readonly outputs: readonly ZooTensor[];
  /** Learned parameters, and MACs of one run (of the whole batch), counted while building. */
  readonly counted: { readonly parameters: number; readonly macs: number };
  readonly published: Published;
  /** Size of the ONNX file in bytes. */
  readonly byteLength: number;
  /** The file in pieces of a few MB at most: for big networks. */
  chunks(): Generator<Uint8Array>;
  /** The file in one piece. VGG-16 with random weights has 553 MB. */
  bytes(): Uint8Array;
}

/** Says whether a name is one of {@link zooNames}. */
export function isZooName(name: string): name is ZooName {
  return Object.hasOwn(entries, name);
}

/**
 * Builds one network.
 * @throws ZooError `unknown-network`, `wrong-option`
 */
export function buildZooModel(name: string, options: ZooOptions = {}): ZooModel {
  if (!isZooName(name)) {
    throw new ZooError(
      'unknown-network',
      `The zoo has no network called "${name}". It has: ${zooNames.join(', ')}.`,
    );
  }
  const { seed = 1, weights = 'random', batch = 1 } = options;
  checkInteger('seed', seed, 0, MAX_SEED);
  checkInteger('batch', batch, 1, MAX_BATCH);
  if (weights !== 'random' && weights !== 'constant') {
    throw new ZooError('wrong-option', `weights must be "random" or "constant", not "${String(weights)}".`);
  }
  const { title, build } = entries[name];
  const builder = new GraphBuilder(name, { seed, weights });
  const outputs = build(builder, batch);
  const encoded = builder.encode(outputs);
  return {
    name,
    title,
    inputs: builder.inputs,
    outputs,
    counted: { parameters: builder.parameters, macs: builder.macs },
    published: published[name],
    byteLength: encoded.byteLength,
    chunks: () => encoded.chunks(),
    bytes: () => Buffer.concat([...encoded.chunks()], encoded.byteLength),
  };
}

/**
 * Writes one network to a file, which appears under its name only when it is complete.
 * @throws ZooError as {@link buildZooModel}, and `cannot-write`
 */
export async function writeZooModel(name: string, file: string, options: ZooOptions = {}): Promise<ZooModel> {
  const model = buildZooModel(name, options);
  const partial = `${file}.${process.pid}.partial`;
  try {
    const handle = await open(partial, 'w');
    try {
      for (const chunk of model.chunks()) await handle.writeFile(chunk);
    } finally {
      await handle.close();
    }
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    const reason = error instanceof Error ? error.message : String(error);
    throw new ZooError('cannot-write', `Cannot write ${name} to ${file}: ${reason}`, { cause: error });
  }
  return model;
}

function checkInteger(option: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new ZooError('wrong-option', `${option} must be an integer from ${min} to ${max}, not ${value}.`);
  }
}
