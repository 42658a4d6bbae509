/** The command `cutpoint` and its subcommands. Each loads what it needs only when it runs, so that help is quick. */
import { Command, CommanderError } from 'commander';
import { exitCodes, operationalMessage, UsageError } from './commandError.js';
import { registerConformance } from './conformance.js';
import { registerBackup } from './backup.js';
import { registerDecide } from './decide.js';
import { registerDemo } from './demo.js';
import { registerGraph } from './graph.js';
import { registerKey } from './key.js';
import { registerModel } from './model.js';
import { registerReplay } from './replay.js';
import { registerRestore } from './restore.js';
import { registerServe } from './serve.js';
import { registerZoo } from './zoo.js';

/** @param version of the package, for `--version` */
function createProgram(version: string): Command {
  const program = new Command('cutpoint')
    .description(
      'Keeps every deployed neural network at its best cut between an end device and an edge server.',
    )
    .version(version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'cutpoint: ')) });
  registerServe(program);
  registerKey(program);
  registerDemo(program);
  registerModel(program);
  registerGraph(program);
  registerDecide(program);
  registerReplay(program);
  registerBackup(program);
  registerRestore(program);
  registerZoo(program);
  registerConformance(program);
  program.addHelpText(
    'after',
    '\nFirst steps:\n  cutpoint demo\n  cutpoint zoo googlenet && cutpoint graph googlenet.onnx\n' +
      '\nExit codes: 0 done, 1 failed or refused, 2 wrong usage.',
  );
  return program;
}

/**
 * Runs one command line (without `node` and the script).
 * @returns the exit code; a defect of the program itself is thrown
 */
export async function runCommandLine(args: readonly string[], version: string): Promise<number> {
  try {
    await createProgram(version).parseAsync(args, { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    const message = operationalMessage(error);
    if (message === undefined) throw error;
    process.stderr.write(`cutpoint: ${message}\n`);
    return error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
  }
}
