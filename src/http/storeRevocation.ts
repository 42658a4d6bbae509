/** Revoked is refused already; this writes it down, now or as soon as the database takes it. */
import type { FastifyRequest } from 'fastify';
import type { Revocations } from '../control/access/revocations.js';
import { StoreError } from '../control/ports.js';
import { HttpProblem } from './problem.js';

/**
 * @param request of a route that is carried out even unrecorded (auditTrail.ts)
 * @param id of the token or the key
 * @param save stores that it is revoked
 * @throws HttpProblem when that is not stored yet
 */
export function storeRevocation(
  request: FastifyRequest,
  revocations: Revocations,
  id: string,
  save: () => void,
): void {
  const { unrecorded, audited } = request;
  try {
    if (unrecorded !== null) throw unrecorded.error;
    save();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const { actor, actorLabel, role, address, operation, target, atMs } = unrecorded?.change ?? audited!;
    revocations.later(id, { actor, actorLabel, role, address, operation, target, atMs }, save);
    const detail =
      'It is refused from now on, and what came with it is closed. That could not be stored; it is tried again ' +
      `until it can. If the controller ends before, it would be taken again. ${error.message}`;
    throw new HttpProblem(503, 'revocation-not-stored', detail);
  }
}
