import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Role, StoredCut, VersionedCut } from '../../src/control/records.js';
import {
  dueAtMs,
  restoredRollout,
  step,
  type Rollout,
  type RolloutAction,
  type RolloutEvent,
} from '../../src/control/rollout.js';
import { rolesOf } from '../../src/control/roles.js';
import { runsOnEndAlone, samePlacement } from '../../src/control/storedCut.js';
import { isAcked, needsTier } from '../../src/control/tierRollout.js';

const settings = { prepareTimeoutMs: 100, retryMs: 10, maxRetryMs: 80 };
const twoTiers = rolesOf({});
const threeTiers = rolesOf({ cloud: { deviceId: 'cloud' } });
const layerCount = 4;
/** The first `layers` layers on the end device. */
const cutAfter = (layers: number): StoredCut => ({
  endLayers: Array.from({ length: layers }, (_, layer) => layer),
  layerCount,
  tensors: layers === layerCount ? [] : [`t${layers}`],
});
/** The same of three tiers: the next `onEdge` layers on the edge, the rest in the cloud. */
const cutOfThree = (layers: number, onEdge: number): StoredCut => {
  const after = Math.min(layerCount, layers + onEdge);
  return {
    ...cutAfter(layers),
    edgeLayers: Array.from({ length: after - layers }, (_, layer) => layers + layer),
    edgeTensors: after === layerCount ? [] : [`t${after}`],
  };
};

/** A rollout with what its devices know, kept apart from it, so that its promises are checked from the outside. */
class Played {
  rollout: Rollout;
  nowMs = 0;
  readonly log: RolloutAction[] = [];
  readonly cuts = new Map<number, StoredCut>();
  readonly device = { end: newDevice(), edge: newDevice(), cloud: newDevice() };
  #sent = { end: 0, edge: 0, cloud: 0 };
  /** The latest version of which an active frame was seen. */
  #activated = 0;

  constructor(readonly roles: readonly Role[] = twoTiers) {
    this.rollout = restoredRollout(null, null, { end: null, edge: null }, 0, roles);
  }

  get version(): number {
    return this.rollout.desired?.version ?? 0;
  }

  take(event: RolloutEvent): readonly RolloutAction[] {
    const before = this.rollout;
    const { rollout, actions } = step(before, event, this.nowMs, settings);
    this.rollout = rollout;
    this.log.push(...actions);
    for (const action of actions) this.#check(action);
    if (rollout.lastGood !== before.lastGood) {
      assert.ok(actions.some(({ kind }) => kind === 'activated'));
      assert.ok(rollout.lastGood!.version > (before.lastGood?.version ?? 0));
    }
    assert.ok(rollout.desired === before.desired || this.version > (before.desired?.version ?? 0));
    for (const role of this.roles) this.#checkNotForgotten(role);
    return actions;
  }

  /** @param onEdge layers there, where there is a cloud for the rest */
  decide(layers: number, onEdge = layerCount): readonly RolloutAction[] {
    const cut = this.roles === twoTiers ? cutAfter(layers) : cutOfThree(layers, onEdge);
    const desired: VersionedCut = { version: this.version + 1, cut };
    this.cuts.set(desired.version, desired.cut);
    return this.take({ kind: 'decided', desired });
  }

  connect(role: Role, prepares: boolean, restarted = false): readonly RolloutAction[] {
    const device = this.device[role];
    if (restarted) Object.assign(device, { loaded: new Set<number>(), runs: null });
    Object.assign(device, { connected: true, prepares });
    // a device that is connected anew says anew what is loaded
    device.loaded = new Set(device.runs === null ? [] : [device.runs]);
    const running = device.runs === null ? null : { version: device.runs, fallback: false };
    return this.take({ kind: 'connected', role, prepares, running });
  }

  disconnect(role: Role): void {
    this.device[role].connected = false;
    this.take({ kind: 'disconnected', role });
  }

  /** The device does what it was sent, or what it would do had it been sent that. */
  answer(role: Role, how: 'prepared' | 'ack' | 'nack', version = this.version): readonly RolloutAction[] {
    const device = this.device[role];
    if (!device.connected || version < 1) return [];
    if (how === 'prepared') device.loaded.add(version);
    if (how === 'ack') {
      device.loaded.add(version);
      device.runs = version;
    }
    if (how === 'nack')
      return this.take({ kind: 'nack', role, version, code: 'no-memory', running: device.runs });
    return this.take({ kind: how, role, version });
  }

  #check(action: RolloutAction): void {
    const { version, cut } = this.rollout.desired!;
    const needed = this.roles.filter((role) => needsTier(cut, role));
    if (action.kind === 'activated') {
      for (const role of needed) assert.equal(this.device[role].runs, version, `${role} runs it`);
    }
    if (action.kind === 'refused') assert.ok(!runsOnEndAlone(cut), 'there is always the safe local cut');
    if (action.kind === 'current') assert.equal(this.device[action.role].runs, version);
    if (action.kind !== 'send') return;
    const { role, phase } = action;
    assert.ok(version >= this.#sent[role], 'no version goes back');
    this.#sent[role] = version;
    assert.ok(this.device[role].connected);
    if (phase === 'prepare') {
      assert.ok(this.device[role].prepares && needed.includes(role) && !runsOnEndAlone(cut));
      return;
    }
    // who comes back later is told what stands: all were ready when the first was told to switch
    if (this.#activated === version || runsOnEndAlone(cut)) return;
    this.#activated = version;
    const isRollback = needed.every((each) => {
      const { runs } = this.device[each];
      return runs !== null && samePlacement(this.cuts.get(runs)!, cut);
    });
    for (const each of needed) {
      const device = this.device[each];
      assert.ok(isRollback || !device.prepares || device.loaded.has(version), `${each} has not prepared`);
    }
  }

  /** A connected device that does not run what it should is waited for, so it hears of it again. */
  #checkNotForgotten(role: Role): void {
    const { desired, phase, tiers } = this.rollout;
    const tier = tiers[role];
    if (desired === null || !tier.connected || isAcked(tier, desired.version)) return;
    if (tier.fallback !== null && tier.reported === desired.version) return; // it comes back by itself
    if (phase === 'activating' || phase === 'active')
      assert.notEqual(tier.waiting, null, `${role} is forgotten`);
    if (phase === 'preparing' && tier.prepares && !tier.prepared && needsTier(desired.cut, role))
      assert.notEqual(tier.waiting, null);
    if (tier.waiting !== null) assert.ok(dueAtMs(this.rollout)! <= tier.waiting.dueAtMs);
  }
}

function newDevice() {
  return { connected: false, prepares: false, loaded: new Set<number>(), runs: null as number | null };
}

type Move = readonly [name: string, play: (played: Played) => void];
const movesOf = (roles: readonly Role[]): fc.Arbitrary<Move> => {
  const role = fc.constantFrom(...roles);
  const obey = role.map((who): Move => [
    `obey ${who}`,
    (p) => {
      const { waiting } = p.rollout.tiers[who];
      if (waiting?.for === 'answer') p.answer(who, waiting.phase === 'prepare' ? 'prepared' : 'ack');
    },
  ]);
  return fc.oneof(
    { arbitrary: obey, weight: 6 },
    fc
      .tuple(fc.nat({ max: layerCount }), fc.nat({ max: layerCount }))
      .map(([layers, onEdge]): Move => [`decide ${layers} ${onEdge}`, (p) => void p.decide(layers, onEdge)]),
    fc
      .tuple(role, fc.boolean(), fc.boolean())
      .map(([who, prepares, restarted]): Move => [
        `connect ${who} ${prepares} ${restarted}`,
        (p) => void p.connect(who, prepares, restarted),
      ]),
    role.map((who): Move => [`disconnect ${who}`, (p) => p.disconnect(who)]),
    fc
      .tuple(role, fc.constantFrom('prepared' as const, 'ack' as const, 'nack' as const), fc.nat({ max: 2 }))
      .map(([who, how, age]): Move => [
        `${how} ${who} -${age}`,
        // a device that was told to prepare answers that, not with an ack of what it was not told to run
        (p) => {
          const isEarly = how === 'ack' && age === 0 && p.rollout.phase === 'preparing';
          p.answer(who, isEarly ? 'prepared' : how, p.version - age);
        },
      ]),
    fc.tuple(role, fc.constantFrom('edge-lost', 'time-to-live')).map(([who, reason]): Move => [
      `fallback ${who}`,
      (p) => {
        if (p.device[who].connected && p.version > 0)
          p.take({ kind: 'fallback', role: who, version: p.version, reason });
      },
    ]),
    fc.nat({ max: 150 }).map((ms): Move => [
      `wait ${ms}`,
      (p) => {
        p.nowMs += ms;
        p.take({ kind: 'time' });
      },
    ]),
  );
};

/** All devices are there and do what they are told; what is refused gives way to the safe local cut. */
function settle(played: Played): void {
  const queue: RolloutAction[] = [];
  for (const who of played.roles) queue.push(...played.connect(who, true));
  for (let round = 0; queue.length > 0; round++) {
    assert.ok(round < 50, 'it settles');
    const action = queue.shift()!;
    if (action.kind === 'refused') queue.push(...played.decide(layerCount));
    if (action.kind === 'send')
      queue.push(...played.answer(action.role, action.phase === 'prepare' ? 'prepared' : 'ack'));
  }
}

describe('a rollout', () => {
  for (const roles of [twoTiers, threeTiers])
    it(`keeps its promises whatever comes in whatever order, and ends well with ${roles.length} devices that do as told`, () => {
      let activations = 0;
      fc.assert(
        fc.property(
          fc.boolean(),
          fc.array(movesOf(roles), { minLength: 5, maxLength: 60, size: 'max' }),
          (isThere, list) => {
            const played = new Played(roles);
            if (isThere) for (const who of roles) played.connect(who, true);
            for (const [, play] of list) play(played);
            if (played.version === 0) played.decide(2);
            settle(played);
            if (played.rollout.phase === 'rejected') played.decide(layerCount);
            settle(played);
            assert.equal(played.rollout.phase, 'active');
            assert.equal(played.rollout.lastGood?.version, played.version);
            for (const who of roles) {
              if (needsTier(played.rollout.desired!.cut, who))
                assert.equal(played.device[who].runs, played.version);
            }
            activations += played.log.filter(({ kind }) => kind === 'activated').length;
          },
        ),
        { numRuns: 1_000, includeErrorInReport: true },
      );
      assert.ok(activations > 1_100, 'many of them end well on the way');
    });

  const roles = twoTiers;
  const both = (layers: number): Played => {
    const played = new Played();
    for (const who of roles) played.connect(who, true);
    played.decide(layers);
    return played;
  };
  const sends = (actions: readonly RolloutAction[]) =>
    actions.flatMap((action) => (action.kind === 'send' ? `${action.phase} ${action.role}` : action.kind));

  it('prepares on all tiers before it activates on any', () => {
    const played = both(2);
    assert.deepEqual(sends(played.log), ['prepare end', 'prepare edge']);
    assert.deepEqual(played.answer('end', 'prepared'), []);
    assert.deepEqual(sends(played.answer('edge', 'prepared')), ['active end', 'active edge']);
    assert.deepEqual(played.answer('edge', 'ack'), []);
    assert.equal(played.rollout.phase, 'activating');
    assert.deepEqual(sends(played.answer('end', 'ack')), ['activated']);
  });

  it('retreats to the end device in one frame, and waits for nobody else', () => {
    const played = both(layerCount);
    assert.deepEqual(sends(played.log), ['active end', 'active edge']);
    assert.deepEqual(sends(played.answer('end', 'ack')), ['activated']);
  });

  it('takes a device that cannot prepare for prepared, and sends it no such phase', () => {
    const played = new Played();
    played.connect('end', false);
    played.connect('edge', true);
    assert.deepEqual(sends(played.decide(2)), ['prepare edge']);
    assert.deepEqual(sends(played.answer('edge', 'prepared')), ['active end', 'active edge']);
  });

  it('goes back to what all still run in one step, since it is ready there', () => {
    const played = both(2);
    for (const how of ['prepared', 'ack'] as const) for (const who of roles) played.answer(who, how);
    assert.deepEqual(sends(played.decide(3)), ['prepare end', 'prepare edge']);
    assert.deepEqual(sends(played.answer('edge', 'nack')), ['refused']);
    assert.equal(played.rollout.phase, 'rejected');
    assert.deepEqual(sends(played.decide(2)), ['active end', 'active edge']);
    for (const who of roles) played.answer(who, 'ack');
    assert.equal(played.rollout.lastGood?.version, 3);
  });

  it('takes silence for a refusal while a cut is prepared', () => {
    const played = both(2);
    played.answer('end', 'prepared');
    played.nowMs = 99;
    assert.deepEqual(played.take({ kind: 'time' }), []);
    played.nowMs = 100;
    const refusal = { role: 'edge', code: 'prepare-timeout', cause: 'prepare-timeout' };
    assert.deepEqual(played.take({ kind: 'time' }), [{ kind: 'refused', refusal }]);
    assert.equal(dueAtMs(played.rollout), null);
  });

  it('gives a device that is away the time it needs, and prepares anew when it is back', () => {
    const played = both(2);
    played.answer('edge', 'prepared');
    played.disconnect('edge');
    played.answer('end', 'prepared');
    played.nowMs = 1_000;
    assert.deepEqual(played.take({ kind: 'time' }), []);
    assert.deepEqual(sends(played.connect('edge', true, true)), ['prepare edge']);
    assert.deepEqual(sends(played.answer('edge', 'prepared')), ['active end', 'active edge']);
  });

  it('sends a cut without an ack again, ever later', () => {
    const played = both(layerCount);
    played.answer('edge', 'ack');
    const at: number[] = [];
    for (; at.length < 5; played.nowMs++) {
      if (played.take({ kind: 'time' }).length > 0) at.push(played.nowMs);
    }
    assert.deepEqual(
      at,
      [100, 200, 300, 400, 500],
      'the time for an answer is longer than the back-off here',
    );
  });

  it('has nothing to go back to from the safe local cut: it is sent again with back-off until it is taken', () => {
    const played = both(layerCount);
    played.answer('edge', 'ack');
    const waits: number[] = [];
    for (let round = 0; round < 5; round++) {
      assert.deepEqual(played.answer('end', 'nack'), []);
      assert.equal(played.rollout.phase, 'rejected');
      const nackedAtMs = played.nowMs;
      while (played.take({ kind: 'time' }).length === 0) played.nowMs++;
      waits.push(played.nowMs - nackedAtMs);
    }
    assert.deepEqual(waits, [10, 20, 40, 80, 80]);
    assert.deepEqual(sends(played.answer('end', 'ack')), ['activated']);
  });

  it('tells a device that runs what is wanted so, and any other one the latest cut', () => {
    const played = both(2);
    for (const how of ['prepared', 'ack'] as const) for (const who of roles) played.answer(who, how);
    assert.deepEqual(sends(played.connect('end', true)), ['current']);
    assert.deepEqual(sends(played.connect('end', true, true)), ['active end']);
    const fallback = { version: 1, fallback: true };
    assert.deepEqual(
      sends(played.take({ kind: 'connected', role: 'end', prepares: true, running: fallback })),
      ['active end'],
    );
    const unheardOf = { version: 9, fallback: false };
    assert.deepEqual(
      sends(played.take({ kind: 'connected', role: 'end', prepares: true, running: unheardOf })),
      ['active end'],
    );
  });

  describe('with a cloud', () => {
    const three = (layers: number, onEdge: number): Played => {
      const played = new Played(threeTiers);
      for (const who of threeTiers) played.connect(who, true);
      played.decide(layers, onEdge);
      return played;
    };

    it('needs an edge that only passes on', () => {
      const played = three(1, 0);
      assert.deepEqual(sends(played.log), ['prepare end', 'prepare edge', 'prepare cloud']);
      for (const who of ['end', 'cloud'] as const) assert.deepEqual(played.answer(who, 'prepared'), []);
      assert.deepEqual(sends(played.answer('edge', 'prepared')), [
        'active end',
        'active edge',
        'active cloud',
      ]);
    });

    it('does not wait for a cloud without layers, and tells it what is active', () => {
      const played = three(1, 3);
      assert.deepEqual(sends(played.log), ['prepare end', 'prepare edge']);
      played.answer('end', 'prepared');
      assert.deepEqual(sends(played.answer('edge', 'prepared')), [
        'active end',
        'active edge',
        'active cloud',
      ]);
      played.answer('end', 'ack');
      assert.deepEqual(sends(played.answer('edge', 'ack')), ['activated']);
      assert.equal(played.rollout.tiers.cloud.reported, null);
    });

    it('does not begin where the cloud is needed and away', () => {
      const played = three(layerCount, 0);
      played.disconnect('cloud');
      played.decide(0, 2);
      for (const who of ['end', 'edge'] as const) assert.deepEqual(played.answer(who, 'prepared'), []);
      assert.deepEqual(sends(played.connect('cloud', true)), ['prepare cloud']);
      assert.equal(sends(played.answer('cloud', 'prepared')).length, 3);
    });

    it('tells cuts apart that differ on the edge alone', () => {
      const played = three(0, 4);
      for (const how of ['prepared', 'ack'] as const) for (const who of threeTiers) played.answer(who, how);
      assert.equal(played.rollout.phase, 'active');
      assert.deepEqual(sends(played.decide(0, 3)), ['prepare end', 'prepare edge', 'prepare cloud']);
      assert.deepEqual(sends(played.answer('cloud', 'nack')), ['refused']);
      assert.deepEqual(sends(played.decide(0, 4)), ['active end', 'active edge', 'active cloud']);
    });
  });

  it('takes answers to older versions for reports that change no phase', () => {
    const played = both(2);
    played.decide(3);
    for (const how of ['prepared', 'ack', 'nack'] as const)
      assert.deepEqual(played.answer('end', how, 1), []);
    assert.equal(played.rollout.phase, 'preparing');
    assert.equal(played.rollout.tiers.end.reported, 1);
  });

  it('goes on after a restart: what was active is, what was not is prepared', () => {
    const desired = { version: 7, cut: cutAfter(2) };
    const good = { version: 6, cut: cutAfter(1) };
    const reported = { end: 7, edge: 6 };
    assert.equal(restoredRollout(desired, desired, reported, 0, roles).phase, 'active');
    const halfway = restoredRollout(desired, good, reported, 0, roles);
    assert.equal(halfway.phase, 'preparing');
    const played = new Played();
    played.rollout = halfway;
    played.device.end.runs = 7;
    played.device.edge.runs = 6;
    played.cuts.set(6, good.cut).set(7, desired.cut);
    assert.deepEqual(sends(played.connect('end', true)), ['current']);
    assert.deepEqual(sends(played.connect('edge', true)), ['prepare edge']);
    assert.deepEqual(sends(played.answer('edge', 'prepared')), ['active edge']);
    assert.deepEqual(sends(played.answer('edge', 'ack')), ['activated']);
  });
});
