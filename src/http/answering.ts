/** Questions that take long, asked on behalf of a request: given up where its client has gone. */
import type { FastifyReply } from 'fastify';
import type { Questions } from '../control/questions.js';
import type { Steps } from '../core/steps.js';

/** @throws ControlError as `Questions.ask` */
export async function answerTo<T>(
  reply: FastifyReply,
  questions: Questions,
  begin: () => Steps<T>,
): Promise<T> {
  const { raw } = reply;
  const left = new AbortController();
  const leave = (): void => left.abort();
  // closed before an answer was sent: nobody is there any more
  raw.once('close', leave);
  if (raw.destroyed) leave();
  try {
    return await questions.ask(begin, left.signal);
  } finally {
    raw.off('close', leave);
  }
}
