/** All models of ../shared/models: imported, or refused for the right reason; sound; and each cut is a cut of the model. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { ImportRefused } from '../../src/control/ports.js';
import type { ProfileOptions } from '../../src/core/profile.js';
import { importModel } from '../../src/onnx/importModel.js';
import { countCuts } from './support/countCuts.js';
import { assertHalvesEqualWhole, prepare } from './support/halves.js';
import { assertSound } from './support/invariants.js';
import { QUICK } from './support/smallModel.js';

const folder = new URL('../../../../shared/models/', import.meta.url).pathname;
const skip = existsSync(folder) ? false : `needs the models of ${folder}`;

/** Where only the batch is open, the file of shapes says nothing: one item. */
const ONE_ITEM: Readonly<Record<string, ProfileOptions['inputs']>> = {
  dnsmos_model_v8: { input_1: { shape: [1, 900, 120] } },
  magika_v3_3: { bytes: { shape: [1, 2048] } },
  ort_maui_model: { image: { shape: [1, 3, 244, 244] } },
  oww_embedding_model: { input_1: { shape: [1, 76, 32, 1] } },
  sedgen_unet: { input: { shape: [1, 1, 224, 224] } },
  vnn_mscn_128d_dual: { modelInput: { shape: [1, 22, 14] } },
  vnn_vit_pgd_2_3_16: { input: { shape: [1, 3, 32, 32] } },
};

/** Refused: code and a word that the message must name. All others are imported. */
const REFUSED: Readonly<Record<string, readonly [string, RegExp]>> = {
  ort_model_with_external_initializers: ['missing-external-data', /"Pads\.bin"/],
  ort_sequence_construct: ['sequence-type', /"output_sequence" is a sequence/],
  ort_sequence_insert: ['sequence-type', /"input_seq" is a sequence/],
  superres: ['no-opset', /opset_import/],
  superres_prepost: ['custom-domain', /DecodeImage, EncodeImage \(domain com\.microsoft\.extensions\)/],
};

/** Published multiply-accumulates (the networks' papers and torchvision), as far as the topology is the published one. */
const MACS: Readonly<Record<string, readonly [number, number]>> = {
  light_resnet50: [4.0e9, 4.2e9],
  light_vgg19: [19.5e9, 19.8e9],
  light_squeezenet: [0.34e9, 0.36e9],
  light_densenet121: [2.8e9, 2.9e9],
};

/** As many cuts as are held by default; fewer where most operators only select and compare a few numbers. */
const MOST_CUTS = 200_000;
const FEW_CUTS: Readonly<Record<string, number>> = {
  vnn_cctsdb_yolo_patch1: 500,
  vnn_mscn_128d_dual: 10_000,
  vnn_pensieve_mid_parallel: 10_000,
};

const files = skip
  ? []
  : readdirSync(folder, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.onnx'))
      .sort();
const shapes = skip
  ? {}
  : (JSON.parse(readFileSync(join(folder, 'shapes.json'), 'utf8')) as Record<
      string,
      ProfileOptions['inputs']
    >);
const inputsOf = (name: string): ProfileOptions['inputs'] => shapes[name] ?? ONE_ITEM[name] ?? {};

/** Layers that the runtime cannot take apart from the rest: models of one layer have no border inside. */
const CANNOT_BE_HALVED: ReadonlySet<string> = new Set(['silero_vad']); // branches that fit no fixed shape

test('every shared model is imported or refused clearly', { skip }, async (t) => {
  assert.ok(files.length >= 40, `${files.length} models found`);
  for (const file of files) {
    const name = basename(file, '.onnx');
    await t.test(name, async () => {
      const options = { ...QUICK, runs: 1, inputs: inputsOf(name) };
      const refused = REFUSED[name];
      if (refused !== undefined) {
        await assert.rejects(importModel(join(folder, file), options), (error) => {
          assert.ok(error instanceof ImportRefused, String(error));
          assert.equal(error.code, refused[0]);
          assert.match(error.message, refused[1]);
          return true;
        });
        return;
      }
      const result = await importModel(join(folder, file), options);
      assertSound(result);
      const cuts = countCuts(result.graph);
      assert.ok(cuts <= (FEW_CUTS[name] ?? MOST_CUTS), `${cuts} cuts`);
      const [least, most] = MACS[name] ?? [0, Infinity];
      const macs = result.graph.layers.reduce((sum, layer) => sum + (layer.macs ?? 0), 0);
      assert.ok(least <= macs && macs <= most, `${macs} multiply-accumulates`);
      if (name.startsWith('light_')) {
        // Their weights are made by operators when the model is loaded: they count with their real size.
        assert.ok(result.graph.layers.reduce((sum, layer) => sum + layer.weightBytes, 0) > 4e6);
      }
    });
  }
});

test('head and tail of a shared model compute what the whole computes', { skip }, async (t) => {
  for (const file of files) {
    const name = basename(file, '.onnx');
    if (name in REFUSED || CANNOT_BE_HALVED.has(name) || name === 'light_vgg19' || name === 'style_candy')
      continue;
    await t.test(name, async () => {
      const prepared = await prepare(join(folder, file), inputsOf(name));
      const count = prepared.layering.graph.layers.length;
      const borders = new Set([0.25, 0.5, 0.75].map((share) => Math.round(share * count)));
      for (const border of borders) {
        if (border > 0 && border < count) await assertHalvesEqualWhole(prepared, border);
      }
    });
  }
});
