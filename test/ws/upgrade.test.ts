import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setTimeout as sleep } from 'node:timers/promises';
import { serviceRig } from '../support/serviceRig.js';
import { until } from '../support/controlRig.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('nothing of the request of an upgrade stays with the connection', async () => {
  const requests: WeakRef<object>[] = [];
  const rig = await serviceRig();
  try {
    rig.app.server.on('upgrade', (request: object) => requests.push(new WeakRef(request)));
    const device = await rig.device({ deviceId: 'camera', role: 'end' });
    await until(() => rig.hub.connectionCount === 1);
    assert.equal(requests.length, 1);
    for (let tries = 0; requests[0]!.deref() !== undefined && tries < 50; tries++) {
      await sleep(20);
      collectGarbage();
    }
    assert.equal(requests[0]!.deref(), undefined);
    assert.equal(rig.hub.connectionCount, 1, 'it is connected still');
    device.socket.close();
    await until(() => rig.hub.connectionCount === 0);
  } finally {
    await rig.dispose();
  }
});
