/** Frames of the controller to typed messages. A controller may be newer: what is unknown is left, not refused. */
import { controllerMessageSchemas, type ControllerMessage } from '../protocol/messages.js';
import { compileCheck, type Check } from '../schema/problems.js';

const checks = new Map<string, Check<unknown>>(
  Object.entries(controllerMessageSchemas).map(([type, schema]) => [type, compileCheck(schema)]),
);

export type ControllerFrame =
  | { readonly type: 'message'; readonly message: ControllerMessage }
  /** Of a later version of the protocol. */
  | { readonly type: 'unknown' }
  /** Breaks the protocol; `problem` says how. */
  | { readonly type: 'wrong'; readonly problem: string };

export function readControllerFrame(data: Buffer, isBinary: boolean): ControllerFrame {
  if (isBinary) return { type: 'wrong', problem: 'a binary frame' };
  let value: unknown;
  try {
    value = JSON.parse(data.toString('utf8'));
  } catch {
    return { type: 'wrong', problem: 'a frame that is not JSON' }; // the text would tell nobody more
  }
  const type = typeof value === 'object' && value !== null ? (value as { type?: unknown }).type : undefined;
  if (typeof type !== 'string') return { type: 'wrong', problem: 'a frame without a type' };
  const check = checks.get(type);
  if (check === undefined) return { type: 'unknown' };
  const checked = check(value);
  if (!checked.ok) return { type: 'wrong', problem: `${type}: ${checked.problems.join('; ')}` };
  return { type: 'message', message: checked.value as ControllerMessage };
}
