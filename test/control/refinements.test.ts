/** Decisions that had to keep short are searched on, and what comes of it is a decision of its own. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { DecisionRecord } from '../../src/control/records.js';
import { controlRig, deployed, testSettings, until, type Rig } from '../support/controlRig.js';
import { hardImporter, shortBuilder } from '../support/hardModel.js';

/** Less than the best cut without bounds takes on this link. */
const tight = { weightBytes: [16_650] };
const link = { uplinkBitsPerSecond: 2e7, downlinkBitsPerSecond: 1e8, rttSeconds: 0.005 };

function gapOf({ decision: { optimality } }: DecisionRecord): number {
  return optimality.kind === 'exact' ? 0 : (optimality.gap ?? Infinity);
}

describe('a model whose states are not held', () => {
  let rig: Rig;
  beforeEach(async () => {
    const settings = { decisions: { ...testSettings.decisions, sliceMs: 1 } };
    rig = await controlRig({ importer: hardImporter, partitioners: shortBuilder, settings });
  });
  afterEach(() => rig.dispose());

  const outcomes = () => rig.recorded.of('refinement').map(([outcome]) => outcome);

  it('is decided at once within a true gap, and then searched on to a better answer', async () => {
    const { end, session } = await deployed(rig);
    rig.control.fleet.telemetry('camera', end, 1, link);
    await until(() => session.lastDecision?.context.hops[0]?.rttSeconds !== undefined);
    rig.control.operations.changeDeployment(session.id, { requirements: tight });
    await until(() => session.lastDecision?.reason === 'refinement', 'the refinement');
    const rows = rig.control.operations.history(session.id, { limit: 20 });
    await until(() => session.durable.version === session.current.version);
    const refined = session.lastDecision!;
    const short = rows.find(({ reason }) => reason === 'requirements')!;
    assert.equal(short.decision.optimality.kind, 'bounded');
    assert.deepEqual(refined.context, short.context);
    assert.ok(
      gapOf(refined) < gapOf(short) ||
        refined.decision.objectiveValue < short.decision.objectiveValue * (1 - 1e-9),
      `${gapOf(short)} to ${gapOf(refined)}`,
    );
    assert.ok(refined.decision.objectiveValue <= short.decision.objectiveValue * (1 + 1e-9));
    assert.deepEqual(refined.decision.violations, []);
    assert.equal(
      refined.versionAfter - refined.versionBefore,
      refined.cutAfter === refined.cutBefore ? 0 : 1,
    );
    assert.ok(refined.searchNanoseconds > short.searchNanoseconds, 'it took longer');
    assert.equal(outcomes().at(-1), 'better');
    // each context is searched on once
    const { decisionCount } = session;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(session.decisionCount, decisionCount);
  });

  it('is left as it is where the context changes meanwhile; the last one is searched on', async () => {
    const { end, session } = await deployed(rig);
    rig.control.operations.changeDeployment(session.id, { requirements: tight });
    let sequence = 0;
    const next = () =>
      rig.control.fleet.telemetry('camera', end, ++sequence, {
        ...link,
        uplinkBitsPerSecond: 2e7 + sequence * 1e4,
      });
    while (!outcomes().includes('superseded')) {
      next();
      assert.ok(sequence < 2_000, 'no search was overtaken');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    next();
    const last = 2e7 + sequence * 1e4;
    await until(
      () =>
        session.lastDecision?.context.hops[0]?.uplinkBitsPerSecond === last &&
        session.lastDecision.reason === 'refinement',
      'a refinement of the last context',
    );
  });

  it('is not searched on after it was deleted', async () => {
    const { session } = await deployed(rig);
    rig.control.operations.changeDeployment(session.id, { requirements: tight });
    await until(() => session.lastDecision?.reason === 'requirements');
    rig.control.operations.removeDeployment(session.id);
    const { decisionCount } = session;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(session.decisionCount, decisionCount);
    assert.ok(!outcomes().includes('better'));
  });
});
