/** Cut messages of a model with four layers. */
import type { CutMessage } from '../../src/protocol/messages.js';

export function cutMessage(
  version: number,
  phase: 'prepare' | 'active',
  more: Partial<CutMessage> = {},
): CutMessage {
  return {
    type: 'cut',
    deploymentId: 'd',
    version,
    phase,
    tier: 'end',
    model: { id: 'm', name: 'small', sha256: 'a'.repeat(64) },
    layerCount: 4,
    endLayers: [0, 1],
    tensors: [],
    predictedLatencySeconds: null,
    timeToLiveMs: 1_000,
    ...more,
  };
}

/** All layers on the end device. */
export const local: Partial<CutMessage> = { endLayers: [0, 1, 2, 3] };
