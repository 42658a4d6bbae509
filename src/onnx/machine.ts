/** What this machine is, so that nobody takes a profile of another one for its own. */
import { createHash } from 'node:crypto';
import { arch, cpus, platform, totalmem } from 'node:os';
import { env } from 'onnxruntime-node';
import type { Machine } from '../core/profile.js';

/** Memory is rounded to 256 MiB: firmware takes a little more or less at each start. */
const MEMORY_STEP_BYTES = 2 ** 28;

/** Describes this machine; the same hardware and runtime give the same id. */
export function describeMachine(): Machine {
  const processors = cpus();
  const facts = {
    cpuModel: processors[0]?.model.trim() ?? 'unknown',
    logicalCores: processors.length,
    architecture: arch(),
    platform: platform(),
    memoryBytes: Math.round(totalmem() / MEMORY_STEP_BYTES) * MEMORY_STEP_BYTES,
    runtime: `onnxruntime ${env.versions.node ?? env.versions.common}`,
  };
  const id = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
  return { id, ...facts };
}
