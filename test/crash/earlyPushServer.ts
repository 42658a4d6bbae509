/**
 * The controller with one mistake, to show that the crash test finds it: a commit says that it is done before it is, so
 * cuts reach devices that a crash then takes back. Settings come from the environment.
 */
import { createAppContext } from '../../src/appContext.js';
import { loadConfig } from '../../src/config.js';
import type { Store } from '../../src/control/ports.js';

const lateMs = 30;

function pushingEarly(store: Store): Store {
  let waiting: (() => void)[] = [];
  const settle = (): void => {
    const due = waiting;
    waiting = [];
    for (const commit of due) commit();
  };
  return {
    ...store,
    commit(decisions, deployments) {
      if (waiting.length === 0) setTimeout(settle, lateMs);
      waiting.push(() => void store.commit(decisions, deployments));
      return [];
    },
    saveDeployment(deployment) {
      settle();
      store.saveDeployment(deployment);
    },
    deleteDeployment(id) {
      settle();
      store.deleteDeployment(id);
    },
    close() {
      settle();
      store.close();
    },
  };
}

const context = await createAppContext(loadConfig({ env: process.env, overrides: {} }), {
  wrapStore: pushingEarly,
});
await context.start();
process.once('SIGTERM', () => void context.stop().then(() => process.exit(0)));
