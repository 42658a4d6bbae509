/**
 * A controller's store in a process of its own, to be killed: commits one decision and one version after the
 * other and tells each version on standard output after commit() returned. The records come as JSON, since
 * drawing them here would take longer than all the rest.
 */
import { writeSync } from 'node:fs';
import type { DecisionRecord, DeploymentRecord, ModelRecord } from '../../src/control/records.js';
import { openStore } from '../../src/store/store.js';

export interface WriterRecords {
  readonly model: ModelRecord;
  readonly deployment: DeploymentRecord;
  readonly decision: DecisionRecord;
}

const { model, deployment, decision } = JSON.parse(process.argv[3]!) as WriterRecords;
const store = openStore({ file: process.argv[2]! });
store.saveModel(model);
store.saveDeployment(deployment);
for (let version = 1; ; version++) {
  store.commit([{ ...decision, versionAfter: version }], [{ ...deployment, version }]);
  writeSync(1, `${version}\n`);
}
