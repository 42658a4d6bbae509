/** `cutpoint zoo`: the networks of the field as ONNX files. */
import { Option, type Command } from 'commander';
import { alignColumns, formatBytes, formatCount } from '../format.js';
import { UsageError } from './commandError.js';
import { integerOption } from './optionValues.js';
import { printJson, printLines, startProgress } from './output.js';

interface ZooFlags {
  readonly out?: string;
  readonly weights: 'random' | 'constant';
  readonly seed: number;
  readonly batch: number;
  readonly list?: true;
  readonly json?: true;
}

export function registerZoo(program: Command): void {
  program
    .command('zoo')
    .summary('write a well-known network as an ONNX file')
    .description(
      'Writes a network of the field as an ONNX file, from its published architecture with seeded weights.\n' +
        'Nothing is downloaded and nothing was trained: cost and sizes are real, answers are not.',
    )
    .argument('[name]', 'which network; --list shows them')
    .option('-o, --out <file>', 'file to write (default: NAME.onnx in this folder)')
    .addOption(
      new Option('--weights <kind>', 'random, or one constant per weight for a small file')
        .choices(['random', 'constant'])
        .default('random'),
    )
    .option(
      '--seed <number>',
      'seed of the weights; the same seed gives the same bytes',
      integerOption(0, 2 ** 32 - 1),
      1,
    )
    .option('--batch <number>', 'inferences per run', integerOption(1, 1024), 1)
    .option('--list', 'list the networks with their parameters and multiply-accumulates')
    .option('--json', 'write JSON to stdout')
    .addHelpText(
      'after',
      '\nExamples:\n  cutpoint zoo --list\n  cutpoint zoo resnet-50 --out resnet-50.onnx --weights constant\n' +
        '\nExit codes: 0 written, 1 failed, 2 wrong usage.',
    )
    .action(async (name: string | undefined, flags: ZooFlags) => {
      if (flags.list === true) {
        if (name !== undefined) throw new UsageError('zoo: give a name or --list, not both');
        await list(flags.json === true);
      } else {
        if (name === undefined) throw new UsageError('zoo: which network? `cutpoint zoo --list` shows them');
        await write(name, flags);
      }
    });
}

async function list(json: boolean): Promise<void> {
  const { buildZooModel, zooNames } = await import('../zoo/zoo.js');
  const networks = zooNames.map((name) => {
    const model = buildZooModel(name, { weights: 'random' });
    return {
      name,
      title: model.title,
      inputs: model.inputs,
      outputs: model.outputs,
      counted: model.counted,
      published: model.published,
      fileBytes: {
        random: model.byteLength,
        constant: buildZooModel(name, { weights: 'constant' }).byteLength,
      },
    };
  });
  if (json) {
    printJson(networks);
    return;
  }
  const rows = networks.map((network) => [
    network.name,
    network.title,
    network.inputs.map((input) => input.shape.join('x')).join(', '),
    formatCount(network.counted.parameters),
    formatCount(network.counted.macs),
    formatBytes(network.fileBytes.random),
    formatBytes(network.fileBytes.constant),
  ]);
  printLines(
    alignColumns(
      [['name', 'network', 'input', 'parameters', 'MACs', 'file', 'with constants'], ...rows],
      [3, 4, 5, 6],
    ),
  );
}

async function write(name: string, flags: ZooFlags): Promise<void> {
  const { isZooName, writeZooModel, zooNames } = await import('../zoo/zoo.js');
  if (!isZooName(name)) {
    throw new UsageError(`zoo: there is no network "${name}"; there are ${zooNames.join(', ')}`);
  }
  const file = flags.out ?? `${name}.onnx`;
  const progress = startProgress(`writing ${name}`);
  const model = await writeZooModel(name, file, flags).finally(() => {
    progress.done();
  });
  if (flags.json === true) {
    printJson({
      file,
      name,
      bytes: model.byteLength,
      counted: model.counted,
      weights: flags.weights,
      seed: flags.seed,
    });
    return;
  }
  printLines([
    `${file}: ${model.title}, ${formatBytes(model.byteLength)}, ${formatCount(model.counted.parameters)} parameters, ` +
      `${formatCount(model.counted.macs)} MACs`,
  ]);
}
