/**
 * Bytes of a file to a checked ONNX model.
 *
 * The weights stay where they are: the decoded tensors are views into the one buffer that the file was
 * read into. Everything that the runtime would otherwise trip over later, with a message nobody
 * understands, is looked at here first.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { ImportRefused } from '../control/ports.js';
import { checkExternalData, type ExternalFile } from './externalData.js';
import type { ImportLimits } from './limits.js';
import { checkNames, checkOperators, checkOpset, checkValueTypes } from './modelChecks.js';
import { type GraphProto, type ModelProto, ModelProtoSchema } from './proto/onnx_pb.js';
import { checkStoredTensors } from './storedTensors.js';

export interface DecodedModel {
  readonly proto: ModelProto;
  readonly graph: GraphProto;
  /** The file, as read; raw weights are views into it. */
  readonly bytes: Uint8Array;
  /** Over the model file, then its external data files in the order of their names. */
  readonly sha256: string;
  readonly name: string;
  readonly externalFiles: readonly ExternalFile[];
}

/** Fields of ModelProto that are nested messages or strings, in any version of ONNX. */
const LENGTH_DELIMITED_FIELDS = new Set([2, 3, 4, 6, 7, 8, 14, 20, 25, 26]);
const VARINT_FIELDS = new Set([1, 5]);

/**
 * Reads and checks a model. Nothing is run.
 * @throws ImportRefused with the codes `file-missing`, `too-large`, `not-onnx`, `truncated`, `no-opset`,
 * `custom-domain`, `bad-name`, `bad-graph`, `sequence-type`, `missing-external-data`, `external-data-escapes`, `bad-tensor`, `no-operators`
 */
export async function readModel(file: string, limits: ImportLimits): Promise<DecodedModel> {
  const bytes = await readModelBytes(file, limits);
  checkFraming(bytes, basename(file));
  const proto = decodeProto(bytes, basename(file));
  const graph = proto.graph;
  if (graph === undefined) {
    throw new ImportRefused('truncated', `${basename(file)} has no graph: the file is incomplete.`);
  }
  checkOpset(proto);
  checkOperators(proto, graph, limits);
  checkNames(graph);
  checkValueTypes(graph);
  const externalFiles = await checkExternalData(graph, file, limits);
  checkStoredTensors(graph);
  const hash = createHash('sha256').update(bytes);
  for (const external of externalFiles) hash.update(external.bytes);
  return {
    proto,
    graph,
    bytes,
    sha256: hash.digest('hex'),
    name: basename(file).replace(/\.onnx$/i, ''),
    externalFiles,
  };
}

async function readModelBytes(file: string, limits: ImportLimits): Promise<Uint8Array> {
  const name = basename(file);
  let size: number;
  try {
    const status = await stat(file);
    if (!status.isFile()) throw new ImportRefused('not-onnx', `${file} is not a file.`);
    size = status.size;
  } catch (error) {
    if (error instanceof ImportRefused) throw error;
    throw new ImportRefused('file-missing', `${file} cannot be read: ${(error as Error).message}`);
  }
  if (size === 0) throw new ImportRefused('not-onnx', `${name} is empty.`);
  if (size > limits.maxFileBytes) {
    throw new ImportRefused(
      'too-large',
      `${name} has ${size} bytes; the limit is ${limits.maxFileBytes} bytes.`,
    );
  }
  try {
    return await readFile(file);
  } catch (error) {
    throw new ImportRefused('file-missing', `${file} cannot be read: ${(error as Error).message}`);
  }
}

/**
 * Walks the top level of the message. It tells a file that stops in the middle from one that never was
 * ONNX, which the decoder itself cannot.
 */
function checkFraming(bytes: Uint8Array, name: string): void {
  const refuse = (): never => {
    throw new ImportRefused('not-onnx', `${name} is not an ONNX model.`);
  };
  const reader = new BinaryReader(bytes);
  let sawGraph = false;
  let sawVersion = false;
  try {
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (VARINT_FIELDS.has(field) && wireType === WireType.Varint) {
        reader.int64();
        sawVersion = true;
      } else if (LENGTH_DELIMITED_FIELDS.has(field) && wireType === WireType.LengthDelimited) {
        const length = reader.uint32();
        if (length > reader.len - reader.pos) {
          if (!sawVersion) refuse();
          throw new ImportRefused(
            'truncated',
            `${name} is incomplete: a part of ${length} bytes is announced, ${reader.len - reader.pos} are there. Copy the file again.`,
          );
        }
        if (field === 7) sawGraph = true;
        reader.pos += length;
      } else if (sawVersion && field > 26) {
        reader.skip(wireType, field); // a field younger than this program
      } else {
        refuse();
      }
    }
  } catch (error) {
    if (error instanceof ImportRefused) throw error;
    if (!sawVersion) refuse();
    throw new ImportRefused('truncated', `${name} is incomplete or damaged. Copy the file again.`);
  }
  if (!sawGraph) {
    if (!sawVersion) refuse();
    throw new ImportRefused('truncated', `${name} has no graph: the file is incomplete.`);
  }
}

function decodeProto(bytes: Uint8Array, name: string): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    throw new ImportRefused(
      'not-onnx',
      `${name} cannot be decoded as an ONNX model: ${(error as Error).message}`,
    );
  }
}
