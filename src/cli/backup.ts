/** `cutpoint backup`: a copy of a data folder, also while a controller works on it. */
import type { Command } from 'commander';
import { formatBytes, formatCount } from '../format.js';
import { exitCodes } from './commandError.js';
import { printJson, printLines, startProgress } from './output.js';

interface BackupFlags {
  readonly config?: string;
  readonly data?: string;
  readonly json?: true;
}

export function registerBackup(program: Command): void {
  program
    .command('backup')
    .summary('copy the data of a controller, also while it runs')
    .description(
      'Makes a folder that holds the database as of one moment, the model files that it names, and backup.json with\n' +
        'their digests. A controller that runs goes on meanwhile. The folder also holds digests of keys and tokens:\n' +
        'keep it as safe as the data folder. Uploads and imports under way begin anew after a restore.',
    )
    .argument('<folder>', 'folder to make; it must not be there yet')
    .option('-c, --config <file>', 'configuration file of the controller')
    .option('--data <folder>', 'its data folder (data.directory)')
    .option('--json', 'write what the backup holds to stdout as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  cutpoint backup /backups/cutpoint-$(date +%F) --data /var/lib/cutpoint\n' +
        '\nExit codes: 0 all is in it, 1 failed, or model files are missing (named), 2 wrong usage.',
    )
    .action(async (folder: string, flags: BackupFlags) => {
      process.exitCode = await backup(folder, flags);
    });
}

async function backup(folder: string, flags: BackupFlags): Promise<number> {
  const [{ loadConfig }, { takeBackup }, { packageVersion }] = await Promise.all([
    import('../config.js'),
    import('../store/backup/takeBackup.js'),
    import('../packageRoot.js'),
  ]);
  const { data } = loadConfig({
    env: process.env,
    file: flags.config,
    overrides: { 'data.directory': flags.data },
  });
  const progress = startProgress('backup');
  const manifest = await takeBackup(data.directory, folder, packageVersion(), Date.now(), {
    progress: (stage, fraction) => progress.update(stage, fraction),
  }).finally(() => progress.done());
  const { database, models, missing, deployments, decisions } = manifest;
  const bytes = models.reduce((sum, model) => sum + model.bytes, database.bytes);
  if (flags.json === true) printJson({ folder, ...manifest });
  else {
    printLines([
      `${folder}: ${formatCount(deployments)} deployments, ${formatCount(decisions)} decisions, ` +
        `${models.length} model files, ${formatBytes(bytes)}`,
    ]);
  }
  if (missing.length === 0) return exitCodes.ok;
  process.stderr.write(
    `cutpoint: the backup lacks ${missing.length} model files that are missing or damaged in ${data.directory}: ` +
      `${missing.join(', ')}. Upload those models again.\n`,
  );
  return exitCodes.failed;
}
