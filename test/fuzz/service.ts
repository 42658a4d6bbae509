/** A whole controller in this process, with a really imported model and a deployment to aim at. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAppContext, type AppContext } from '../../src/appContext.js';
import { loadConfig } from '../../src/config.js';
import { tinyModel } from './models/tinyModel.js';

export interface FuzzedService {
  readonly context: AppContext;
  readonly origin: string;
  /** Of what is there now: an operator may have removed the first ones. */
  readonly modelId: string;
  readonly deploymentId: string;
  /** Adds the model and the deployment again where they were removed. */
  refill(): Promise<void>;
  /** Of an operator who may do everything. */
  readonly headers: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** @param folder for its data; the caller removes it */
export async function fuzzedService(folder: string): Promise<FuzzedService> {
  const config = loadConfig({
    env: {},
    overrides: {
      'listen.port': 0,
      'data.directory': join(folder, 'data'),
      'log.level': 'silent',
      'decisions.keepRows': 10_000,
      // what is fuzzed is behind the limits of the rate
      'limits.framesPerSecond': 100_000,
      'limits.frameBurst': 1_000_000,
      'limits.hellosPerMinute': 1_000_000,
      'limits.helloBurst': 1_000_000,
      'auth.anonymousDevices': true,
      'auth.auditKeepRows': 10_000,
    },
  });
  const context = await createAppContext(config);
  const origin = await context.start();
  const key = context.access.keys.create({ label: 'fuzz', role: 'admin', createdBy: 'test' });
  const bytes = tinyModel();
  const { control } = context;
  let modelId = '';
  let deploymentId = '';
  const refill = async (): Promise<void> => {
    if (!control.models.list().some((model) => model.id === modelId))
      modelId = await addedModel(context, folder, bytes);
    if (control.deployments.find(deploymentId) !== null) return;
    deploymentId = control.operations.deploy({
      modelId,
      end: { deviceId: 'camera', computeRatio: 4 },
      edge: { deviceId: 'edge', computeRatio: 0.5 },
      requirements: {},
    }).id;
  };
  await refill();
  return {
    context,
    origin,
    headers: { authorization: `Bearer ${key.secret}` },
    refill,
    get modelId() {
      return modelId;
    },
    get deploymentId() {
      return deploymentId;
    },
    async stop() {
      await context.stop();
    },
  };
}

async function addedModel({ control }: AppContext, folder: string, bytes: Uint8Array): Promise<string> {
  const file = join(folder, 'tiny.onnx');
  await writeFile(file, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const { id, done } = await control.models.add({
    file,
    name: 'tiny',
    sha256,
    sizeBytes: bytes.length,
    inputs: {},
  });
  await done;
  return id;
}
