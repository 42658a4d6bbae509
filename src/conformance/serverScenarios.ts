/** All scenarios about a server, and how they are run against one. */
import { controllerMessageSchemas } from '../protocol/messages.js';
import { messageCheck } from './messageCheck.js';
import { runScenarios, type Result } from './run.js';
import type { Scenario } from './scenario.js';
import { backpressureScenarios } from './server/backpressure.js';
import { dataSafetyScenarios } from './server/dataSafety.js';
import { cloudScenarios } from './server/cloud.js';
import { heartbeatScenarios } from './server/heartbeat.js';
import { helloScenarios } from './server/hello.js';
import { identityScenarios } from './server/identity.js';
import { reconnectScenarios } from './server/reconnect.js';
import { sizesScenarios } from './server/sizes.js';
import { answerScenarios } from './server/answers.js';
import { cutScenarios } from './server/cut.js';
import { phaseScenarios } from './server/phases.js';
import { measurementScenarios } from './server/measurement.js';
import { resumeScenarios } from './server/resume.js';
import { offlineScenarios } from './server/offline.js';
import { durabilityScenarios } from './server/durability.js';
import { telemetryScenarios } from './server/telemetry.js';
import { versionScenarios } from './server/version.js';
import { welcomeScenarios } from './server/welcome.js';
import { inspectServer, leaveServer, ServerStage, type ServerTarget } from './serverStage.js';
import { Transcript } from './transcript.js';

export const serverScenarios: readonly Scenario<ServerStage>[] = [
  ...versionScenarios,
  ...identityScenarios,
  ...helloScenarios,
  ...welcomeScenarios,
  ...telemetryScenarios,
  ...cutScenarios,
  ...phaseScenarios,
  ...answerScenarios,
  ...measurementScenarios,
  ...resumeScenarios,
  ...offlineScenarios,
  ...reconnectScenarios,
  ...cloudScenarios,
  ...durabilityScenarios,
  ...heartbeatScenarios,
  ...backpressureScenarios,
  ...sizesScenarios,
  ...dataSafetyScenarios,
];

/** Scenarios under way at once: most of their time they wait. docs/conformance.md names the number. */
const atOnce = 12;

/**
 * Plays scenarios against a server.
 * @param done told of each result as soon as it is there
 * @throws Unmet where the server cannot be reached at all
 */
export async function checkServer(
  target: ServerTarget,
  scenarios: readonly Scenario<ServerStage>[],
  done: (result: Result) => void,
): Promise<Result[]> {
  const facts = await inspectServer(target, new Transcript(), AbortSignal.timeout(150_000));
  const check = messageCheck(controllerMessageSchemas);
  const limits = new ServerStage(target, facts, '', check, new Transcript(), AbortSignal.abort());
  try {
    return await runScenarios({
      scenarios,
      atOnce,
      waitsMs: ({ timeLimitMs }) => timeLimitMs?.(limits) ?? 0,
      stage: ({ topic, name }, transcript, signal) =>
        new ServerStage(target, facts, `${topic}.${name}`, check, transcript, signal),
      done,
    });
  } finally {
    await leaveServer(target, facts);
  }
}
