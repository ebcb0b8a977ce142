import { ConfigError } from '../../errors/config-error.ts';
import type { Clock } from '../../internal/clock.ts';
import { definedOf } from '../../internal/options/defined-of.ts';
import {
  anything,
  boolean,
  callable,
  checkOptions,
  clockOption,
  integer,
  listOf,
  milliseconds,
  type OptionChecks,
  secret,
  shape,
  withMethods,
} from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';
import { describeImageFacts } from '../fake-openai/image-facts.ts';
import { LoadCalls } from './load-calls.ts';
import type { LoadPhaseResult, LoadResult } from './load-figures.ts';
import { type LoadProgress, LoadRun } from './load-run.ts';
import { checkLoadScenario, type LoadScenario, needIssues } from './load-scenario.ts';
import {
  addressIssues,
  isFakeServer,
  type LoadRedis,
  type LoadServer,
  type LoadTarget,
  methodIssues,
} from './load-target.ts';
import { type LoadThresholds, PERFORMANCE_THRESHOLDS, THRESHOLD_CHECKS } from './load-thresholds.ts';
import { ServerControl } from './server-control.ts';

/** Options of {@link runLoadScenario}. */
export interface LoadRunOptions {
  /**
   * The server to which the client sends. It is a fake one, whose counts are read and which the scenario may harm, or
   * the URL of another one. A client that shows its `pools` and sends to loopback needs none.
   * @defaultValue none
   */
  readonly server?: LoadServer | string;
  /** The Redis server of the client, which scenarios with `redis` in a phase stop and start. @defaultValue none */
  readonly redis?: LoadRedis;
  /** Keys of tenants, for scenarios that have some; the server must accept them. @defaultValue none */
  readonly tenantKeys?: readonly string[];
  /** Thresholds of your own. They win over those of the scenario. @defaultValue those of the scenario */
  readonly thresholds?: LoadThresholds;
  /** Seed of all that is drawn, 0 to 100,000. @defaultValue 1 */
  readonly seed?: number;
  /**
   * Whether descriptions are compared with the facts of their images, as the fake server gives them.
   * @defaultValue true with a fake server
   */
  readonly checkAnswers?: boolean;
  /** Most calls in flight, 1 to 100,000. A call that is due beyond it counts as failed. @defaultValue 10000 */
  readonly maxInFlight?: number;
  /** Milliseconds that calls in flight may take at the end, before they are aborted. @defaultValue 30000 */
  readonly drainTimeoutMs?: number;
  /** Milliseconds between two calls of `onProgress`. @defaultValue 1000 */
  readonly progressIntervalMs?: number;
  /** Ends the run and its calls: it then rejects with the reason. @defaultValue none */
  readonly signal?: AbortSignal;
  /** Is notified while the load runs. An error that it throws is ignored. @defaultValue none */
  readonly onProgress?: (progress: LoadProgress) => void;
  /**
   * Is awaited between two phases, such as to look at the process. An error that it throws ends the run.
   * @defaultValue none
   */
  readonly onPhaseEnd?: (phase: LoadPhaseResult) => void | Promise<void>;
  /** Lets requests go to a server that bills them, such as api.openai.com. @defaultValue false */
  readonly allowBilled?: boolean;
  /** Source of time. @defaultValue the system clock */
  readonly clock?: Clock;
}

export const LOAD_RUN_SPEC = {
  server: anything(),
  redis: withMethods('a Redis server, such as startRedisServer gives', 'kill', 'restart', 'pause', 'resume'),
  tenantKeys: withDefault(listOf(secret()), []),
  thresholds: shape(THRESHOLD_CHECKS),
  seed: withDefault(integer({ min: 0, max: 100_000 }), 1),
  checkAnswers: boolean(),
  maxInFlight: withDefault(integer({ min: 1, max: 100_000 }), 10_000),
  drainTimeoutMs: withDefault(milliseconds({ min: 0 }), 30_000),
  progressIntervalMs: withDefault(milliseconds(), 1000),
  signal: withMethods('an AbortSignal', 'addEventListener', 'throwIfAborted'),
  onProgress: callable(),
  onPhaseEnd: callable(),
  allowBilled: withDefault(boolean(), false),
  clock: clockOption,
} satisfies OptionChecks<LoadRunOptions>;

/**
 * Runs a load scenario against your own wiring and says which thresholds were met. A missed threshold is a verdict in
 * the result, never an error.
 *
 * The load of a phase with a `rate` begins each call on time, whatever becomes of the earlier ones, and counts its time
 * from then. The run counts from a `reset()` of the fake server, and ends with its faults removed.
 *
 * @param client - A `DescribeClient`, anything with its `describe`, or several that take calls in turn.
 * @param scenario - One of `LOAD_SCENARIOS`, or your own.
 * @throws ConfigError `DESCRIBE_CONFIG_INVALID` for a wrong scenario or option, for servers that a scenario needs and
 * does not get, and for a client whose server bills
 * @throws the signal's reason when it aborts
 *
 * @example
 * ```ts
 * import { createDescribeClient } from '@describe-it/sdk';
 * import { LOAD_SCENARIOS, runLoadScenario, startFakeOpenAI } from '@describe-it/sdk/testing';
 *
 * const scenario = LOAD_SCENARIOS['concurrency ramp'];
 * const server = await startFakeOpenAI(scenario.server);
 * const client = createDescribeClient({ ...scenario.client, apiKey: server.apiKey, baseURL: server.baseURL });
 * const { passed, verdicts, latencyMs } = await runLoadScenario(client, scenario, { server });
 * console.log(passed, latencyMs?.p99, verdicts);
 * await client.close();
 * await server.close();
 * ```
 */
export async function runLoadScenario(
  client: LoadTarget | readonly LoadTarget[],
  scenario: LoadScenario,
  options: LoadRunOptions = {},
): Promise<LoadResult> {
  checkLoadScenario(scenario);
  const settings = checkOptions<LoadRunOptions, typeof LOAD_RUN_SPEC>('runLoadScenario', options, LOAD_RUN_SPEC);
  const targets: readonly LoadTarget[] = Array.isArray(client) ? client : [client];
  const { server, redis, tenantKeys, allowBilled, seed } = settings;
  const fake = isFakeServer(server) ? server : undefined;
  const issues = [
    ...targets.flatMap((target) => methodIssues(target, methodsOf(scenario))),
    ...needIssues(scenario, { isFake: fake !== undefined, hasRedis: redis !== undefined, tenantKeys }),
  ];
  // A target without `describe` shows no address either.
  if (issues.length === 0) issues.push(...targets.flatMap((target) => addressIssues(target, server, allowBilled)));
  if (targets.length === 0) issues.push({ option: 'client', expected: 'at least one', got: 'none' });
  if (issues.length > 0) throw new ConfigError('runLoadScenario', issues);
  const { checkAnswers = fake !== undefined } = settings;
  const run = new LoadRun(scenario, {
    ...settings,
    targets,
    server: new ServerControl(scenario, fake, redis, settings.clock),
    calls: new LoadCalls(scenario.traffic, seed),
    expected: checkAnswers ? describeImageFacts : undefined,
    thresholds: { ...PERFORMANCE_THRESHOLDS, ...definedOf(scenario.thresholds), ...definedOf(settings.thresholds) },
  });
  return run.run();
}

/** Methods that a target needs for the calls of a scenario. */
function methodsOf({ traffic = [] }: LoadScenario): readonly string[] {
  return [
    'describe',
    ...(traffic.some(({ method }) => method === 'stream') ? ['stream'] : []),
    ...(traffic.some(({ tenants }) => tenants !== undefined) ? ['withKey'] : []),
  ];
}
