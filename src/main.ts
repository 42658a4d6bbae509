#!/usr/bin/env node
/** The process: arguments in, exit code out. */
import { readFileSync } from 'node:fs';
import { runCommandLine } from './cli/commandLine.js';

// `cutpoint graph … | head` closes the pipe early: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

process.exitCode = await runCommandLine(process.argv.slice(2), version);
