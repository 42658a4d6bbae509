/** The documented default configuration, config/cutpoint.yaml, made from the schema. */
import { stringify } from 'yaml';
import { configKeys } from './configKeys.js';
import { configSections } from './configSchema.js';

const WIDTH = 100;

/** `text` as comment lines. */
function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** Every key with its meaning, limits, variable and default. */
export function configDocument(): string {
  const lines = comment(
    'Every key of the configuration with its default. Written by `npm run config:write`. ' +
      'Give a file with the keys that you change by --config FILE or CUTPOINT_CONFIG; ' +
      'a variable wins over the file, an option of the command line over both. ' +
      'A key that does not exist or a value that is not allowed stops the start.',
    '',
  );
  const keys = configKeys();
  for (const [section, schema] of Object.entries(configSections)) {
    lines.push(
      '',
      ...comment('description' in schema ? String(schema.description) : section, ''),
      `${section}:`,
    );
    for (const key of keys.filter((one) => one.name.startsWith(`${section}.`))) {
      const name = key.name.slice(section.length + 1);
      lines.push(
        ...comment(key.description, '  '),
        ...comment(`Allowed: ${key.allowed}. Variable: ${key.variable}`, '  '),
        `  ${stringify({ [name]: key.default }, { singleQuote: true }).trimEnd()}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}
