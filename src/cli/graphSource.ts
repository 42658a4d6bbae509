/** Where `graph` and `decide` get a model from: an ONNX file that is profiled, or a graph document. */
import type { Command } from 'commander';
import { measuredSeconds, scaledSeconds, type Profile, type TierSeconds } from '../core/profile.js';
import type { StateGraph } from '../core/stateGraph.js';
import type { GraphDocument } from '../schema/graphDocument.js';
import { DocumentError, RefusedError, UsageError } from './commandError.js';
import { addProfileOptions, importedModel, type Imported, type ProfileFlags } from './importedModel.js';
import { integerOption, parseJson, positiveOption, readText } from './optionValues.js';

export interface GraphFlags extends ProfileFlags {
  readonly endRatio?: number;
  readonly endProfile?: string;
  readonly edgeRatio?: number;
  readonly edgeProfile?: string;
  readonly cloudRatio?: number;
  readonly cloudProfile?: string;
  readonly maxStates: number;
}

/** As the service has it by default (`states.maxStates`), so that both decide alike. */
const defaultMaxStates = 200_000;

/** Adds the options that say how the model is profiled and how fast its tiers are. */
export function addGraphOptions(command: Command): Command {
  return addProfileOptions(
    command
      .option('--end-ratio <number>', 'end device: seconds there per second here', positiveOption)
      .option('--end-profile <file>', 'end device: profile taken there by `cutpoint model profile --out`')
      .option('--edge-ratio <number>', 'edge: seconds there per second here', positiveOption)
      .option('--edge-profile <file>', 'edge: profile taken there; a tier with neither is this machine')
      .option('--cloud-ratio <number>', 'a third tier: seconds there per second here', positiveOption)
      .option('--cloud-profile <file>', 'a third tier: profile taken there; with neither there are two tiers')
      .option('--max-states <number>', 'states to hold', integerOption(1, 50_000_000), defaultMaxStates),
  );
}

/**
 * The graph of `file`: read where it is a graph document, else imported and profiled (once; see `--cache`).
 * @throws DocumentError | UsageError | ImportRefused
 */
export async function obtainGraph(file: string, flags: GraphFlags): Promise<GraphDocument> {
  if (file === '-' || file.endsWith('.json')) return readGraph(file, flags);
  return (await profiledGraph(file, flags)).document;
}

async function readGraph(file: string, flags: GraphFlags): Promise<GraphDocument> {
  for (const [option, given] of [
    ['--end-ratio', flags.endRatio],
    ['--end-profile', flags.endProfile],
    ['--edge-ratio', flags.edgeRatio],
    ['--edge-profile', flags.edgeProfile],
    ['--cloud-ratio', flags.cloudRatio],
    ['--cloud-profile', flags.cloudProfile],
  ] as const) {
    if (given !== undefined) {
      throw new UsageError(
        `${option}: a graph document has the seconds of all tiers; give it to \`cutpoint graph\``,
      );
    }
  }
  const { checkGraphDocument } = await import('../schema/graphDocument.js');
  const name = file === '-' ? 'stdin' : file;
  const checked = checkGraphDocument(parseJson(await readText(file), name));
  if (!checked.ok) throw new DocumentError(name, checked.problems);
  return checked.value;
}

export interface ProfiledGraph {
  readonly document: GraphDocument;
  readonly imported: Imported;
  readonly states: StateGraph;
}

/** Imports and profiles an ONNX file and counts its states. */
export async function profiledGraph(file: string, flags: GraphFlags): Promise<ProfiledGraph> {
  const tierFlags = [
    { name: 'end', ratio: flags.endRatio, profile: flags.endProfile },
    { name: 'edge', ratio: flags.edgeRatio, profile: flags.edgeProfile },
    ...(flags.cloudRatio === undefined && flags.cloudProfile === undefined
      ? []
      : [{ name: 'cloud', ratio: flags.cloudRatio, profile: flags.cloudProfile }]),
  ];
  for (const { name, ratio, profile } of tierFlags) {
    if (ratio !== undefined && profile !== undefined) {
      throw new UsageError(`give --${name}-ratio or --${name}-profile, not both`);
    }
  }
  const imported = await importedModel(file, flags);
  const tiers: TierSeconds[] = [];
  for (const { ratio, profile } of tierFlags) tiers.push(await tierSeconds(imported, ratio, profile));
  const { graph, profile } = imported;
  const { buildStateGraph } = await import('../core/stateGraph.js');
  const { graphDocument } = await import('../schema/graphDocument.js');
  let states;
  try {
    states = buildStateGraph({ graph, tiers }, flags.maxStates);
  } catch (error) {
    // a ratio may make of measured seconds what is beyond all measure
    if (error instanceof RangeError) throw new DocumentError(file, [error.message]);
    throw error;
  }
  const { held } = states;
  const document = graphDocument({
    graph,
    modelSha256: profile.modelSha256,
    tiers,
    machine: profile.machine,
    options: profile.options,
    wholeModel: profile.wholeModel,
    layerSpreads: profile.layers,
    states: { valid: held === null ? null : held.rawCount, kept: held === null ? 0 : held.count },
  });
  return { document, imported, states };
}

async function tierSeconds(
  imported: Imported,
  ratio: number | undefined,
  profileFile: string | undefined,
): Promise<TierSeconds> {
  if (ratio !== undefined) return scaledSeconds(imported.profile, ratio);
  if (profileFile === undefined) return measuredSeconds(imported.profile);
  const { checkProfile } = await import('../schema/profile.js');
  const checked = checkProfile(parseJson(await readText(profileFile), profileFile));
  if (!checked.ok) throw new DocumentError(profileFile, checked.problems);
  requireSameModel(checked.value, imported, profileFile);
  return measuredSeconds(checked.value);
}

function requireSameModel(profile: Profile, imported: Imported, profileFile: string): void {
  if (profile.modelSha256 !== imported.profile.modelSha256) {
    throw new RefusedError(`${profileFile}: modelSha256 is that of another model file`);
  }
  const { layers } = imported.graph;
  const differs =
    profile.layers.length !== layers.length ||
    profile.layers.some(({ name }, index) => name !== layers[index]!.name);
  if (differs) {
    throw new RefusedError(
      `${profileFile}: layers are not those of the model here; take the profile again with this version of cutpoint`,
    );
  }
}
