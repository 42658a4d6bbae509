/** Weights that a model keeps in files beside itself. */
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, resolve, sep } from 'node:path';
import { ImportRefused } from '../control/ports.js';
import { elementTypeName, tensorBytes } from './elementTypes.js';
import type { ImportLimits } from './limits.js';
import { type GraphProto, type TensorProto, TensorProto_DataLocation } from './proto/onnx_pb.js';
import { storedShape } from './storedTensors.js';
import { graphsWithin, tensorsStoredIn } from './walk.js';

export interface ExternalFile {
  /** As the model names it. */
  readonly location: string;
  readonly bytes: Uint8Array;
}

/** An entry of a tensor's external data (`location`, `offset`, `length`), or undefined where it is not given. */
function externalEntry(tensor: TensorProto, key: string): string | undefined {
  return tensor.externalData.find((entry) => entry.key === key)?.value;
}

/**
 * Reads the files that hold external weights; they must lie in or below the folder of the model.
 * @returns one entry per file, ordered by location
 * @throws ImportRefused `missing-external-data`, `external-data-escapes`, `too-large`, `bad-tensor`
 */
export async function checkExternalData(
  graph: GraphProto,
  modelFile: string,
  limits: ImportLimits,
): Promise<ExternalFile[]> {
  const users = new Map<string, TensorProto[]>();
  for (const each of graphsWithin(graph)) {
    for (const tensor of tensorsStoredIn(each)) {
      if (tensor.dataLocation !== TensorProto_DataLocation.EXTERNAL) continue;
      const location = externalEntry(tensor, 'location') ?? '';
      const known = users.get(location);
      if (known === undefined) users.set(location, [tensor]);
      else known.push(tensor);
    }
  }
  const files: ExternalFile[] = [];
  for (const location of [...users.keys()].sort()) {
    const bytes = await readExternal(location, modelFile, limits);
    for (const tensor of users.get(location) ?? []) checkRange(tensor, bytes.length, location);
    files.push({ location, bytes });
  }
  return files;
}

async function readExternal(location: string, modelFile: string, limits: ImportLimits): Promise<Uint8Array> {
  const folder = await realpath(dirname(resolve(modelFile)));
  const path = resolve(folder, location);
  const inside = (candidate: string): boolean =>
    candidate.startsWith(folder.endsWith(sep) ? folder : folder + sep);
  const escapes = (): never => {
    throw new ImportRefused(
      'external-data-escapes',
      `The model wants its weights from "${location}", outside its own folder. Put the file beside the model.`,
    );
  };
  if (location === '' || isAbsolute(location) || !inside(path)) escapes();
  let size: number;
  try {
    if (!inside(await realpath(path))) escapes();
    size = (await stat(path)).size;
  } catch (error) {
    if (error instanceof ImportRefused) throw error;
    throw new ImportRefused(
      'missing-external-data',
      `The model keeps weights in the file "${location}", which is not beside it. Put that file into the same folder.`,
    );
  }
  if (size > limits.maxFileBytes) {
    throw new ImportRefused(
      'too-large',
      `The weights file "${location}" has ${size} bytes; the limit is ${limits.maxFileBytes} bytes.`,
    );
  }
  return readFile(path);
}

function checkRange(tensor: TensorProto, fileBytes: number, location: string): void {
  const type = elementTypeName(tensor.dataType);
  const needed = type === null ? null : tensorBytes(type, storedShape(tensor));
  const offset = Number(externalEntry(tensor, 'offset') ?? 0);
  const length = Number(externalEntry(tensor, 'length') ?? needed ?? 0);
  const valid =
    Number.isSafeInteger(offset) && offset >= 0 && length === needed && offset + length <= fileBytes;
  if (!valid) {
    throw new ImportRefused(
      'bad-tensor',
      `The tensor "${tensor.name}" wants ${needed ?? 'an unknown number of'} bytes (length ${length}) at offset ${offset} of "${location}", which has ${fileBytes} bytes.`,
    );
  }
}
