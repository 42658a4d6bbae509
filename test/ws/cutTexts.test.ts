import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import type { CutNotice } from '../../src/control/ports.js';
import { controllerMessageSchemas } from '../../src/protocol/messages.js';
import { CutTexts } from '../../src/ws/cutTexts.js';

const cut = { endLayers: [0, 1], layerCount: 3, tensors: ['a'] };
/** What a device gets of a tensor. */
const sent = { name: 'a', type: 'float32', shape: [1, 8], bytes: 32 };
const notice: CutNotice = {
  deploymentId: 'first "one"',
  version: 1,
  phase: 'prepare',
  tier: 'end',
  model: { id: 'm', name: 'tiny', sha256: 'ff' },
  cut,
  tensors: [{ ...sent, producer: 1, consumers: [2], isOutput: false }],
  predictedLatencySeconds: 0.25,
};

describe('the frame of a cut', () => {
  it('says what is asked of one device, also where the cut was sent to others before', () => {
    const texts = new CutTexts(60_000);
    const isCut = new Ajv().compile(controllerMessageSchemas.cut);
    const edge = { ...cut, edgeLayers: [2], edgeTensors: [] };
    const notices: CutNotice[] = [
      notice,
      {
        ...notice,
        deploymentId: 'second',
        version: 7,
        phase: 'active',
        tier: 'edge',
        predictedLatencySeconds: null,
      },
      { ...notice, cut: { ...cut, endLayers: [0] } },
      { ...notice, cut: edge, tier: 'cloud', edgeTensors: [] },
      { ...notice, cut: edge, version: 2, edgeTensors: [] },
    ];
    for (const one of notices) {
      const message = JSON.parse(texts.of(one)) as Record<string, unknown>;
      assert.ok(isCut(message), JSON.stringify(isCut.errors));
      const { cut: its, ...rest } = one;
      const { endLayers, layerCount, edgeLayers } = its;
      assert.deepEqual(message, {
        type: 'cut',
        ...rest,
        tensors: [sent],
        endLayers,
        layerCount,
        ...(edgeLayers === undefined ? {} : { edgeLayers }),
        timeToLiveMs: 60_000,
      });
    }
  });
});
