/** Scenarios of one frame that costs its sender an error and nothing else. */
import type { Scenario, Topic } from '../scenario.js';
import type { ServerStage } from '../serverStage.js';

/** A frame that costs its sender an error and nothing else. */
export function answered(
  topic: Topic,
  name: string,
  promise: string,
  text: string | ((stage: ServerStage) => string),
  answer: { readonly code: string; readonly field?: string },
): Scenario<ServerStage> {
  return {
    topic,
    name,
    promise,
    play: async (stage) => {
      const peer = await stage.device();
      peer.sendText(typeof text === 'string' ? text : text(stage));
      await peer.inbox.expect('error', answer);
      await peer.fence();
    },
  };
}
