/** `cutpoint model`: what an ONNX file holds, and how long it takes here. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Profile } from '../core/profile.js';
import { alignColumns, formatBytes, formatCount, formatSeconds } from '../format.js';
import type { ModelInspection } from '../onnx/inspectModel.js';
import { addProfileOptions, importedModel, refuseNaming, type ProfileFlags } from './importedModel.js';
import { printJson, printLines } from './output.js';

interface ModelProfileFlags extends ProfileFlags {
  readonly out?: string;
  readonly json?: true;
}

export function registerModel(program: Command): void {
  const model = program.command('model').summary('look at an ONNX model, or measure it on this machine');
  model
    .command('inspect')
    .summary('what an ONNX file holds, without running it')
    .description('Reads and checks an ONNX file: inputs, outputs, operators, weights. Nothing is run.')
    .argument('<file>', 'ONNX model')
    .option('--json', 'write JSON to stdout')
    .addHelpText(
      'after',
      '\nExample:\n  cutpoint model inspect googlenet.onnx\n' +
        '\nExit codes: 0 it can be imported, 1 refused (the message says why) or failed, 2 wrong usage.',
    )
    .action(async (file: string, flags: { json?: true }) => {
      const { inspectModel } = await import('../onnx/inspectModel.js');
      const inspection = await inspectModel(file).catch((error: unknown) => refuseNaming(file, error));
      if (flags.json === true) printJson(inspection);
      else printLines(inspectionLines(file, inspection));
    });
  const profile = model
    .command('profile')
    .summary('measure each layer on this machine')
    .description(
      'Runs an ONNX model here and measures each layer. The file that --out writes can be uploaded to a controller,\n' +
        'or given to `graph` and `decide` elsewhere, as the real times of this machine.',
    )
    .argument('<file>', 'ONNX model')
    .option('-o, --out <file>', 'write the profile to this file')
    .option('--json', 'write the profile to stdout');
  addProfileOptions(profile)
    .addHelpText(
      'after',
      '\nExamples:\n  cutpoint model profile googlenet.onnx --out profile.json\n' +
        '  cutpoint model profile model.onnx --inputs \'{"image":{"shape":[1,3,224,224]}}\' --runs 30\n' +
        '\nExit codes: 0 measured, 1 failed or refused, 2 wrong usage.',
    )
    .action(async (file: string, flags: ModelProfileFlags) => {
      const { profile: measured, fromCache } = await importedModel(file, flags);
      if (flags.out !== undefined) await writeFile(flags.out, `${JSON.stringify(measured, null, 2)}\n`);
      if (flags.json === true) printJson(measured);
      else printLines(profileLines(measured, fromCache, flags.out));
    });
}

function inspectionLines(file: string, model: ModelInspection): string[] {
  const shape = (dimensions: ModelInspection['inputs'][number]['dimensions']): string =>
    dimensions === null ? '[of unknown rank]' : `[${dimensions.map((one) => one ?? '?').join(', ')}]`;
  const lines = [
    `${model.name}: ${formatBytes(model.sizeBytes)}, ${model.operatorCount} operators, ` +
      `${formatCount(model.parameterCount)} stored parameters (${formatBytes(model.parameterBytes)})`,
    `sha256 ${model.sha256}`,
    `ONNX IR ${model.irVersion}${model.producer === '' ? '' : `, written by ${model.producer}`}, ` +
      Object.entries(model.opsets)
        .map(([domain, version]) => `${domain} ${version}`)
        .join(', '),
    ...model.inputs.map(({ name, type, dimensions }) => `in   ${name}: ${type} ${shape(dimensions)}`),
    ...model.outputs.map((name) => `out  ${name}`),
    `operators: ${Object.entries(model.operators)
      .map(([type, count]) => `${type} ${count}`)
      .join(', ')}`,
  ];
  const open = Object.entries(model.shapesNeeded);
  if (open.length > 0) {
    const example = Object.fromEntries(open.map(([name, given]) => [name, { shape: given ?? ['…'] }]));
    lines.push(
      `shapes needed for ${open.map(([name]) => name).join(', ')}: cutpoint graph ${file} --inputs '${JSON.stringify(example)}'`,
    );
  }
  return lines;
}

function profileLines(profile: Profile, fromCache: boolean, out: string | undefined): string[] {
  const { machine, options, wholeModel } = profile;
  const spread = (value: Profile['wholeModel']): string[] =>
    [value.medianSeconds, value.minSeconds, value.maxSeconds].map(formatSeconds);
  const [median, least, most] = spread(wholeModel);
  return [
    ...alignColumns(
      [
        ['', 'layer', 'median', 'min', 'max'],
        ...profile.layers.map((layer, index) => [String(index), layer.name, ...spread(layer)]),
      ],
      [0, 2, 3, 4],
    ),
    '',
    `whole model: ${median} median of ${options.runs} runs (${least} to ${most}), level ${options.optimizationLevel}, ` +
      `${options.intraOpThreads} ${options.intraOpThreads === 1 ? 'thread' : 'threads'}`,
    `machine ${machine.id}: ${machine.cpuModel}, ${machine.logicalCores} logical cores, ${machine.runtime}`,
    ...(fromCache ? ['taken before; --fresh measures again'] : []),
    ...(out === undefined ? [] : [`written to ${out}`]),
  ];
}
