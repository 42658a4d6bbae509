/** Frames, requests and models, one after the other. */
import { join } from 'node:path';
import { fuzzFrames, type FrameFuzz } from './frames/fuzzFrames.js';
import { fuzzModels, type ModelFuzz } from './models/fuzzModels.js';
import { fuzzRest, type RestFuzz } from './rest/fuzzRest.js';
import { fuzzedService } from './service.js';

export interface FuzzPlan {
  readonly frames: number;
  /** How many of the frames go over real sockets. */
  readonly socketFrames: number;
  readonly models: number;
  readonly requests: number;
  readonly seed: number;
  /** Import processes at a time. */
  readonly workers: number;
}

/** A part is null where none of it was asked for. */
export interface Fuzzed {
  readonly frames: FrameFuzz | null;
  readonly requests: RestFuzz | null;
  readonly models: ModelFuzz | null;
}

/**
 * @param folder for temporary files, empty; the caller removes it
 * @param keepFolder where models of findings are kept
 */
export async function fuzzAll(
  plan: FuzzPlan,
  folder: string,
  keepFolder: string,
  progress: (part: keyof Fuzzed, done: number, all: number) => void = () => undefined,
): Promise<Fuzzed> {
  const { frames, requests, models, seed, socketFrames, workers } = plan;
  let fuzzedFrames: FrameFuzz | null = null;
  let fuzzedRequests: RestFuzz | null = null;
  if (frames > 0 || requests > 0) {
    const service = await fuzzedService(folder);
    try {
      if (frames > 0) {
        fuzzedFrames = await fuzzFrames(service, { frames, socketFrames, seed }, (done) =>
          progress('frames', done, frames),
        );
      }
      if (requests > 0) {
        fuzzedRequests = await fuzzRest(service, { requests, seed, headers: service.headers }, (done) =>
          progress('requests', done, requests),
        );
      }
    } finally {
      await service.stop();
    }
  }
  const fuzzedModels =
    models === 0
      ? null
      : await fuzzModels(
          { files: models, seed, workers, folder: join(folder, 'models'), keepFolder },
          (done) => progress('models', done, models),
        );
  return { frames: fuzzedFrames, requests: fuzzedRequests, models: fuzzedModels };
}
