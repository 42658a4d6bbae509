/**
 * A controller's store in a process of its own, to be killed: commits one decision and one version after the
 * other and tells each version on standard output after commit() returned.
 */
import { writeSync } from 'node:fs';
import { openStore } from '../../src/store/store.js';
import { decisionOf, deploymentOf, model, sample } from './records.js';

const store = openStore({ file: process.argv[2]! });
const deployment = { ...sample(deploymentOf('m1'), 2), id: 'p1', version: 0 };
const decision = sample(decisionOf('p1'), 3);
store.saveModel({ ...sample(model, 1), id: 'm1' });
store.saveDeployment(deployment);
for (let version = 1; ; version++) {
  store.commit([{ ...decision, versionAfter: version }], [{ ...deployment, version }]);
  writeSync(1, `${version}\n`);
}
