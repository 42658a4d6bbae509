/* eslint-disable @typescript-eslint/no-unsafe-member-access -- answers are held against the OpenAPI document as they come, not against types */
/** Questions that take long hold up neither each other nor the fleet, and are bounded. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Steps } from '../../src/core/steps.js';
import { deployed, quickLink, testSettings, until } from '../support/controlRig.js';
import { restClient, type RestClient } from '../support/restClient.js';
import { serviceRig, type ServiceRig } from '../support/serviceRig.js';

interface Costed {
  readonly prediction: { readonly latencySeconds: unknown };
}

/** A question that never ends by itself. */
function* endless(): Steps<never> {
  for (;;) yield;
}

describe('questions over REST', () => {
  let rig: ServiceRig;
  let rest: RestClient;
  let deploymentId: string;
  let left: AbortController;
  let running: Promise<unknown>[];
  beforeEach(async () => {
    const limits = { ...testSettings.limits, maxQuestions: 5 };
    rig = await serviceRig({ settings: { limits } });
    rest = await restClient(rig.origin);
    left = new AbortController();
    running = [];
  });
  afterEach(async () => {
    left.abort();
    await Promise.allSettled(running);
    await rig.dispose();
  });

  const occupy = (count: number): void => {
    for (let i = 0; i < count; i++) running.push(rig.control.questions.ask(endless, left.signal));
    for (const one of running) one.catch(() => undefined); // ended by the test
  };
  const asked = () =>
    rig.recorded.of('inventory').findLast(([{ questions }]) => questions !== undefined)?.[0];

  it('are answered beside those that take long, while the fleet is decided', async () => {
    const { session, end } = await deployed(rig);
    deploymentId = session.id;
    occupy(3);
    rig.control.fleet.telemetry('camera', end, 1, quickLink);
    await until(() => session.durable.version === 2, 'the new cut');
    for (const path of ['cut', 'ranges', 'alternatives']) {
      assert.equal((await rest.get(`/v1/deployments/${deploymentId}/${path}`)).status, 200, path);
    }
    const { context } = session.lastDecision!;
    assert.equal((await rest.post(`/v1/deployments/${deploymentId}/what-if`, { context })).status, 200);
    assert.equal(asked()?.questions, 3, 'the others are still there');
  });

  it('are refused for now beyond the cap; what needs no search is answered', async () => {
    const { session } = await deployed(rig);
    occupy(5);
    for (const path of ['cut', 'ranges', 'alternatives']) {
      const answer = await rest.get(`/v1/deployments/${session.id}/${path}`);
      assert.deepEqual(
        [answer.status, answer.body.type, answer.headers.get('retry-after')],
        [503, 'urn:cutpoint:problem:too-many-questions', '5'],
      );
    }
    assert.deepEqual(rig.recorded.of('capHit').at(-1), ['questions', { cap: 5 }]);
    assert.equal((await rest.get(`/v1/deployments/${session.id}`)).status, 200);
    left.abort();
    await Promise.allSettled(running);
    const cut = await rest.get(`/v1/deployments/${session.id}/cut`);
    assert.equal(cut.status, 200);
    const { why } = cut.body as { why: { edgeOnly: Costed; runnerUp: { extraObjective: unknown } } };
    // nothing is known of the link yet
    assert.deepEqual([why.edgeOnly.prediction.latencySeconds, why.runnerUp.extraObjective], [null, null]);
  });

  it('are given up when the client goes', async () => {
    const { session } = await deployed(rig);
    occupy(4); // as many as are worked on side by side: a fifth waits
    const { port } = new URL(rig.origin);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      `GET /v1/deployments/${session.id}/alternatives HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${rig.adminKey}\r\n\r\n`,
    );
    await until(() => asked()?.questions === 5, 'the question');
    socket.destroy();
    await until(() => asked()?.questions === 4, 'its end');
  });
});
