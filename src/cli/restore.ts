/** `cutpoint restore`: a backup in place of a data folder. */
import type { Command } from 'commander';
import { formatCount } from '../format.js';
import { printJson, printLines, startProgress } from './output.js';

interface RestoreFlags {
  readonly config?: string;
  readonly data?: string;
  readonly force?: true;
  readonly json?: true;
}

export function registerRestore(program: Command): void {
  program
    .command('restore')
    .summary('put a backup in place of the data of a controller')
    .description(
      'Checks a backup file by file and puts it in place of the data folder, whose controller must be stopped. Each\n' +
        'deployment goes on under a version that no device can have seen after the backup. Keys and tokens are those\n' +
        'of the backup: what was revoked since then has to be revoked again.',
    )
    .argument('<folder>', 'the backup')
    .option('-c, --config <file>', 'configuration file of the controller')
    .option('--data <folder>', 'its data folder (data.directory)')
    .option('--force', 'replace the data that is there; it is gone then')
    .option('--json', 'write what was restored to stdout as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  cutpoint restore /backups/cutpoint-2025-01-31 --data /var/lib/cutpoint --force\n' +
        '\nExit codes: 0 restored, 1 refused or failed (the data folder is as before), 2 wrong usage.',
    )
    .action((folder: string, flags: RestoreFlags) => restore(folder, flags));
}

async function restore(folder: string, flags: RestoreFlags): Promise<void> {
  const [{ loadConfig }, { restoreBackup }] = await Promise.all([
    import('../config.js'),
    import('../store/backup/restoreBackup.js'),
  ]);
  const { data } = loadConfig({
    env: process.env,
    file: flags.config,
    overrides: { 'data.directory': flags.data },
  });
  const progress = startProgress('restore');
  const how = { force: flags.force === true, nowMs: Date.now() };
  const { manifest, versionsSkipped } = await restoreBackup(folder, data.directory, how, {
    progress: (stage, fraction) => progress.update(stage, fraction),
  }).finally(() => progress.done());
  if (flags.json === true) printJson({ dataFolder: data.directory, versionsSkipped, ...manifest });
  else {
    const { deployments, decisions, models } = manifest;
    printLines([
      `${data.directory}: ${formatCount(deployments)} deployments, ${formatCount(decisions)} decisions, ` +
        `${models.length} model files as of ${new Date(manifest.takenAtMs).toISOString()}`,
      `versions go on ${formatCount(versionsSkipped)} higher`,
    ]);
  }
}
