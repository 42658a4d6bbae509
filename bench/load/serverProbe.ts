/** Loaded into the controller's process before it starts: tells what it takes, and profiles it on request. */
import { Session } from 'node:inspector/promises';
import type { Profiler } from 'node:inspector';
import { watchCollections } from './collections.js';
import { processFigures } from './processFigures.js';
import { answerCalls } from './remote.js';

let session: Session | null = null;

answerCalls(
  {
    figures: processFigures,
    collections: watchCollections(),
    async profileStart(): Promise<void> {
      session = new Session();
      session.connect();
      await session.post('Profiler.enable');
      await session.post('Profiler.setSamplingInterval', { interval: 250 });
      await session.post('Profiler.start');
    },
    async profileStop(): Promise<Profiler.Profile> {
      const { profile } = await session!.post('Profiler.stop');
      session!.disconnect();
      session = null;
      return profile;
    },
  },
  true,
);
