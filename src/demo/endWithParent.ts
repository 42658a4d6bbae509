/**
 * Loaded before a command that the demo starts: when the demo is gone, however it ended, the command is asked to
 * end too. A killed demo cannot do that itself.
 */
import { isMainThread } from 'node:worker_threads';

if (isMainThread && process.connected) {
  process.once('disconnect', () => {
    process.kill(process.pid, 'SIGTERM');
  });
  // Watching the parent must not keep a process that is done.
  process.channel?.unref();
}
