/** Why the controller ends a connection, and whether a device should come back. */

/** `later`: after a minute or more; else with the pauses of any lost connection. */
export type ComeBack = 'yes' | 'later' | 'no';

interface Close {
  readonly code: number;
  readonly why: string;
  readonly comeBack: ComeBack;
}

/** The closes that the controller chooses, by name; the name is the reason in the close frame. */
export const closes = {
  'shutting-down': { code: 4000, why: 'the controller stops', comeBack: 'yes' },
  'taken-over': { code: 4001, why: 'another connection said hello with this `deviceId`', comeBack: 'no' },
  'hello-timeout': { code: 4002, why: 'no hello in time', comeBack: 'yes' },
  'hello-invalid': { code: 4003, why: 'the hello is wrong, see the error before', comeBack: 'no' },
  'protocol-violation': {
    code: 4004,
    why: 'something else than a hello first, or a second hello',
    comeBack: 'no',
  },
  'too-many-devices': { code: 4005, why: 'the controller keeps no further device', comeBack: 'later' },
  'slow-consumer': { code: 4006, why: 'messages were left unread', comeBack: 'yes' },
  'heartbeat-missed': { code: 4007, why: 'three heartbeats without a sign of life', comeBack: 'yes' },
  'too-fast': {
    code: 4008,
    why: 'frames came faster than the limit, also after the warning',
    comeBack: 'later',
  },
  revoked: { code: 4009, why: 'the token of this device was revoked', comeBack: 'no' },
  'device-mismatch': {
    code: 4010,
    why: 'the token is of another device than the hello says',
    comeBack: 'no',
  },
  'too-many-hellos': {
    code: 4011,
    why: 'this `deviceId` said hello too often; an older connection of it stays',
    comeBack: 'later',
  },
  'internal-error': {
    code: 1011,
    why: 'the controller failed at a message of this device',
    comeBack: 'yes',
  },
} as const satisfies Record<string, Close>;

/** Closes that come from below the protocol. */
export const transportCloses = {
  'not-websocket': { code: 1002, why: 'bytes that are no WebSocket frames', comeBack: 'yes' },
  'not-utf-8': { code: 1007, why: 'a text frame that is not UTF-8', comeBack: 'yes' },
  'frame-too-large': { code: 1009, why: 'a frame above `limits.frameBytes`', comeBack: 'yes' },
  'connection-lost': { code: 1006, why: 'the connection broke', comeBack: 'yes' },
} as const satisfies Record<string, Close>;

export type CloseName = keyof typeof closes;

/** Whether to come back after a close with `code`; codes that are none of these: yes, it may pass. */
export function comeBackAfter(code: number): ComeBack {
  const all: readonly Close[] = [...Object.values(closes), ...Object.values(transportCloses)];
  return all.find((close) => close.code === code)?.comeBack ?? 'yes';
}
