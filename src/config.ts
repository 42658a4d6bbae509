/**
 * The configuration: the only reader of environment and configuration file. Later sources win: defaults, file,
 * environment, command line. Anything that is wrong stops the start, and everything that is wrong is listed.
 *
 * The variable of a key is CUTPOINT_, its section, two underscores, its name, words in capitals with underscores:
 * limits.maxModelBytes is CUTPOINT_LIMITS__MAX_MODEL_BYTES.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { configKeys, type ConfigKey } from './configKeys.js';
import { contradictions, type ConfigProblem } from './configRules.js';
import { configSections, type Config } from './configSchema.js';

export type { ConfigProblem } from './configRules.js';
export type { Config } from './configSchema.js';

/** Everything that is wrong with the configuration. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'config';
  constructor(readonly problems: readonly ConfigProblem[]) {
    const lines = problems.map((problem) => `  ${problem.key} (${problem.source}): ${problem.message}`);
    super(
      `The configuration is wrong in ${problems.length === 1 ? 'one place' : `${problems.length} places`}:\n${lines.join('\n')}`,
    );
  }
}

interface Given {
  readonly value: unknown;
  readonly source: string;
}

/** What one source gives, by key, and what is wrong with it as a source. */
interface Layer {
  readonly given: ReadonlyMap<string, Given>;
  readonly problems: readonly ConfigProblem[];
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownKey(name: string, keys: readonly ConfigKey[]): string {
  const last = name.split('.').at(-1)!.toLowerCase();
  const alike = keys.find((key) => key.name.split('.')[1]!.toLowerCase() === last);
  return `there is no such key${alike ? `; did you mean ${alike.name}?` : '; config/cutpoint.yaml lists all'}`;
}

function readYaml(file: string): { readonly content: unknown; readonly problems: readonly ConfigProblem[] } {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    return {
      content: null,
      problems: [{ key: 'file', source: file, message: `it cannot be read (${reason})` }],
    };
  }
  const document = parseDocument(source);
  const broken = [...document.errors, ...document.warnings];
  if (broken.length === 0) return { content: document.toJS() as unknown, problems: [] };
  const problems = broken.map((error) => ({
    key: `line ${error.linePos?.[0].line ?? 1}`,
    source: file,
    message: `no valid YAML: ${error.message.split('\n')[0]!.replace(/:$/, '')}`,
  }));
  return { content: null, problems };
}

function fromFile(file: string, keys: readonly ConfigKey[]): Layer {
  const { content, problems: unreadable } = readYaml(file);
  const given = new Map<string, Given>();
  const problems = [...unreadable];
  const wrong = (key: string, message: string) => problems.push({ key, source: file, message });
  if (content !== null && !isMapping(content))
    wrong('file', 'it must hold sections with keys, as config/cutpoint.yaml does');
  for (const [section, entries] of Object.entries(isMapping(content) ? content : {})) {
    if (!Object.hasOwn(configSections, section)) wrong(section, unknownKey(section, keys));
    else if (isMapping(entries)) {
      for (const [name, value] of Object.entries(entries)) {
        const key = `${section}.${name}`;
        if (keys.some((known) => known.name === key)) given.set(key, { value, source: file });
        else wrong(key, unknownKey(key, keys));
      }
    } else if (entries !== null) wrong(section, 'it is a section and must hold keys');
    // a section whose keys are all commented out is null, and says nothing
  }
  return { given, problems };
}

/** Kubernetes tells every container the addresses of services; one called cutpoint would look like ours. */
const SERVICE_LINK =
  /^CUTPOINT(_[A-Z0-9]+)*_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT|PORT_\d+_(TCP|UDP)(_[A-Z]+)?)$/;

function valueOf(key: ConfigKey, text: string): unknown {
  if (key.type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true';
  return key.type === 'integer' && /^-?\d+(\.\d+)?(e\d+)?$/i.test(text) ? Number(text) : text;
}

function fromEnvironment(env: NodeJS.ProcessEnv, keys: readonly ConfigKey[]): Layer {
  const given = new Map<string, Given>();
  const problems: ConfigProblem[] = [];
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith('CUTPOINT_') || variable === 'CUTPOINT_CONFIG' || value === undefined) continue;
    const key = keys.find((known) => known.variable === variable);
    if (key) {
      given.set(key.name, { value: valueOf(key, value), source: variable });
      continue;
    }
    const alike = keys.find((known) => known.variable.replaceAll('_', '') === variable.replaceAll('_', ''));
    if (!alike && SERVICE_LINK.test(variable)) continue;
    if (alike && /^(tcp|udp):\/\//.test(value)) continue;
    const hint = alike ? `did you mean ${alike.variable}?` : 'config/cutpoint.yaml lists all';
    problems.push({ key: variable, source: 'environment', message: `there is no such variable; ${hint}` });
  }
  return { given, problems };
}

function fromOverrides(overrides: Readonly<Record<string, unknown>>, keys: readonly ConfigKey[]): Layer {
  const given = new Map<string, Given>();
  const problems: ConfigProblem[] = [];
  const source = 'command line';
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    if (keys.some((key) => key.name === name)) given.set(name, { value, source });
    else problems.push({ key: name, source, message: unknownKey(name, keys) });
  }
  return { given, problems };
}

function shown(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function build(values: ReadonlyMap<string, unknown>): Config {
  const config: Record<string, Record<string, unknown>> = {};
  for (const [key, value] of values) {
    const [section, name] = key.split('.') as [string, string];
    (config[section] ??= {})[name] = value;
  }
  for (const section of Object.values(config)) Object.freeze(section);
  return Object.freeze(config) as unknown as Config;
}

export interface ConfigSources {
  readonly env: NodeJS.ProcessEnv;
  /** A configuration file; wins over the one that CUTPOINT_CONFIG names. */
  readonly file?: string | undefined;
  /** By key, e.g. `{'listen.port': 0}`; undefined: not given. */
  readonly overrides?: Readonly<Record<string, unknown>>;
}

/**
 * Reads, merges and checks the configuration. `data.directory` comes out as an absolute path.
 * @throws ConfigError with every problem of every source
 */
export function loadConfig({ env, file = env['CUTPOINT_CONFIG'], overrides = {} }: ConfigSources): Config {
  const keys = configKeys();
  const layers = [
    ...(file === undefined ? [] : [fromFile(file, keys)]),
    fromEnvironment(env, keys),
    fromOverrides(overrides, keys),
  ];
  const problems = layers.flatMap((layer) => layer.problems);
  const values = new Map<string, unknown>();
  for (const key of keys) {
    values.set(key.name, key.default);
    for (const { given } of layers) {
      const entry = given.get(key.name);
      if (!entry) continue;
      // Also a value that a later source replaces must be right: it is a mistake that waits.
      if (key.isValid(entry.value)) values.set(key.name, entry.value);
      else {
        const message = `${shown(entry.value)} is not allowed; allowed: ${key.allowed}`;
        problems.push({ key: key.name, source: entry.source, message });
      }
    }
  }
  if (problems.length === 0) problems.push(...contradictions(build(values)));
  if (problems.length > 0) throw new ConfigError(problems);
  values.set('data.directory', resolve(String(values.get('data.directory'))));
  return build(values);
}
