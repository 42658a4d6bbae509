/** `cutpoint key`: API keys of operators, made on the data folder where none is at hand. */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { operatorRoles, type OperatorRole } from '../control/access/records.js';
import { printJson, printLines } from './output.js';

interface CreateFlags {
  readonly role: OperatorRole;
  readonly label?: string;
  readonly config?: string;
  readonly data?: string;
  readonly json?: boolean;
}

export function registerKey(program: Command): void {
  const key = program.command('key').summary('make an API key on the data folder');
  key
    .command('create')
    .summary('make an API key and show it this once')
    .description(
      'Makes an API key and writes it to stdout, this once. For the first key after a lost one: further ones can be\n' +
        'made over REST. Works on the data folder, also beside a running controller, which takes the key at once.',
    )
    .addOption(
      new Option('--role <role>', 'what the key may do').choices([...operatorRoles]).makeOptionMandatory(),
    )
    .option('--label <text>', 'what people call it; without: who ran the command')
    .option('-c, --config <file>', 'configuration file of the controller')
    .option('--data <folder>', 'its data folder (data.directory)')
    .option('--json', 'print id, label, role and key as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  CUTPOINT_KEY=$(cutpoint key create --role admin --data /var/lib/cutpoint)',
    )
    .action((flags: CreateFlags) => create(flags));
}

async function create(flags: CreateFlags): Promise<void> {
  const [{ loadConfig }, { withAccessBeside }, { issueApiKey }, { hashingWith }] = await Promise.all([
    import('../config.js'),
    import('../store/accessBeside.js'),
    import('../control/access/apiKeys.js'),
    import('../control/access/credential.js'),
  ]);
  const { data } = loadConfig({
    env: process.env,
    file: flags.config,
    overrides: { 'data.directory': flags.data },
  });
  const user = userInfo().username;
  const wanted = { role: flags.role, label: flags.label ?? `made by ${user}`, createdBy: 'command line' };
  const { record, secret } = withAccessBeside(join(data.directory, 'cutpoint.db'), (store) => {
    const nowMs = Date.now();
    const issued = issueApiKey(wanted, hashingWith(store.pepper()), nowMs);
    const target = `/v1/keys/${issued.record.id}`;
    const who = { actor: 'command line', actorLabel: user, role: 'admin', address: null } as const;
    const row = store.startAudit({ atMs: nowMs, ...who, operation: 'createKey', target });
    store.saveApiKey(issued.record);
    store.finishAudit(row, { status: 201, code: null, target });
    return issued;
  });
  if (flags.json) printJson({ id: record.id, label: record.label, role: record.role, key: secret });
  else printLines([secret]);
}
