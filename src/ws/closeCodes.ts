/** Why the controller ends a connection; docs/protocol.md says for each whether to come back. */
export const closeCodes = {
  'shutting-down': 4000,
  'taken-over': 4001,
  'hello-timeout': 4002,
  'hello-invalid': 4003,
  'protocol-violation': 4004,
  'too-many-devices': 4005,
  'slow-consumer': 4006,
  'heartbeat-missed': 4007,
  'internal-error': 1011,
} as const;

export type CloseName = keyof typeof closeCodes;
