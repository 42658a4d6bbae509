/** Decisions are durable before their cuts are sent; a version has one meaning and never goes back. */
import type { Message } from '../inbox.js';
import { must, mustEqual, show } from '../outcome.js';
import type { Rollout } from '../rollout.js';
import type { Scenario } from '../scenario.js';
import type { ServerStage } from '../serverStage.js';

function durable(
  name: string,
  promise: string,
  play: (stage: ServerStage) => Promise<void>,
): Scenario<ServerStage> {
  return { topic: 'durability', name, promise, timeLimitMs: () => 15_000, play };
}

/** A deployment whose cut went to the edge and back several times. */
async function moved(stage: ServerStage): Promise<Rollout> {
  const rollout = await stage.deploy();
  for (const placement of ['edge', 'end', 'split', 'end'] as const) await rollout.settle(placement);
  return rollout;
}

function cutsOf({
  inbox,
}: {
  readonly inbox: { readonly messages: readonly Message[] };
}): readonly Message[] {
  return inbox.messages.filter(({ type }) => type === 'cut');
}

export const durabilityScenarios: readonly Scenario<ServerStage>[] = [
  durable('stored-before-sent', 'When a cut arrives, the decision for it is on record.', async (stage) => {
    const rollout = (await stage.deploy()).obey();
    const { version } = await rollout.cutFor(rollout.end, 'edge');
    const path = `/v1/deployments/${rollout.id}/decisions?limit=50`;
    const { view } = await stage.operator.call('GET', path);
    const decisions = view.at('decisions') as { versionAfter: number }[];
    const versions = decisions.map(({ versionAfter }) => versionAfter);
    must(versions.includes(Number(version)), `version ${show(version)} is not among ${show(versions)}`);
  }),
  durable('versions-only-rise', 'Versions never go back, on any tier.', async (stage) => {
    const rollout = await moved(stage);
    for (const peer of [rollout.end, rollout.edge]) {
      const versions = cutsOf(peer).map((cut) => Number(cut['version']));
      must(
        versions.every((v, i) => i === 0 || v >= versions[i - 1]!),
        `${peer.name} was sent ${show(versions)}`,
      );
    }
  }),
  durable(
    'one-meaning',
    'A version means one cut: on both tiers, in both phases, in the history.',
    async (stage) => {
      const rollout = await moved(stage);
      const meaning = new Map<number, string>();
      for (const cut of [...cutsOf(rollout.end), ...cutsOf(rollout.edge)]) {
        const version = Number(cut['version']);
        const layers = show(cut['endLayers']);
        mustEqual(layers, meaning.get(version) ?? layers, `layers on the end device of version ${version}`);
        meaning.set(version, layers);
      }
      must(meaning.size >= 4, `only ${meaning.size} versions were sent`);
    },
  ),
  durable('history-agrees', 'The history tells the same cuts as the devices were sent.', async (stage) => {
    const rollout = await moved(stage);
    const { view } = await stage.operator.call('GET', `/v1/deployments/${rollout.id}/decisions?limit=100`);
    const decisions = view.at('decisions') as { versionAfter: number; cutAfter: { endLayers: number[] } }[];
    const recorded = new Map(decisions.map((d) => [d.versionAfter, show(d.cutAfter.endLayers)]));
    for (const cut of cutsOf(rollout.end)) {
      const version = Number(cut['version']);
      mustEqual(recorded.get(version), show(cut['endLayers']), `the recorded cut of version ${version}`);
    }
  }),
];
