import type { DescribeClientOptions } from '../../describe-client/options/client-options.ts';
import { ConfigError, type ConfigIssue } from '../../errors/config-error.ts';
import {
  anything,
  boolean,
  finiteNumber,
  integer,
  listOf,
  milliseconds,
  nonEmptyText,
  type OptionCheck,
  oneOf,
  required,
  shape,
  text,
  whichever,
} from '../../internal/options/option-checks.ts';
import type { FakeOpenAIProcessOptions } from '../fake-openai/fake-openai-process.ts';
import { checkFaultPlan } from '../fake-openai/fault-checks.ts';
import type { FaultPlan, FaultRule } from '../fake-openai/fault-plan.ts';
import { checkLimits } from '../fake-openai/options.ts';
import type { FakeLimits } from '../fake-openai/quota-group.ts';
import type { FakeQuotaGroup } from '../fake-openai/quota-groups.ts';
import { type LoadThresholds, THRESHOLD_CHECKS } from './load-thresholds.ts';

/** One kind of call in a scenario, and its images. */
export interface LoadTraffic {
  /** Its part of all calls, relative to the parts of the others, above 0. @defaultValue 1 */
  readonly share?: number;
  /** The method to call. @defaultValue 'describe' */
  readonly method?: 'describe' | 'stream';
  /** `'new'`: each call has an image of its own. A number: each call draws one of so many. @defaultValue 'new' */
  readonly images?: 'new' | number;
  /** Size of each image in bytes, up to 50,000,000; a small one has about 150. @defaultValue small */
  readonly imageBytes?: number;
  /** Tenants that take calls in turn, each with a key of the run's `tenantKeys`. @defaultValue none */
  readonly tenants?: number;
  /** @defaultValue the client's */
  readonly prompt?: string;
}

/** A stretch of time with one load. */
export interface LoadPhase {
  readonly name: string;
  readonly durationMs: number;
  /**
   * Calls a second, begun on time whatever becomes of earlier ones (an open loop). Two numbers change evenly from the
   * one to the other. Give this or `concurrency`.
   */
  readonly rate?: number | { readonly from: number; readonly to: number };
  /** Calls at the same time, each begun when an earlier one has ended (a closed loop). */
  readonly concurrency?: number;
  /** Faults of the fake server during the phase. @defaultValue none */
  readonly faults?: FaultPlan | readonly FaultRule[];
  /** Limits of the fake server from the start of the phase on. @defaultValue as before */
  readonly limits?: FakeLimits | readonly FakeQuotaGroup[];
  /** Requests a minute of another tenant of the same limits, 1 to 60,000, to the fake server. @defaultValue none */
  readonly neighbourPerMinute?: number;
  /** `'stop'`: the fake server breaks every connection and refuses new ones; `'start'`: it is back. */
  readonly server?: 'stop' | 'start';
  /** Stops, starts, pauses or resumes the Redis server at the start of the phase. */
  readonly redis?: 'kill' | 'restart' | 'pause' | 'resume';
  /** Whether all calls must have ended before the next phase begins. @defaultValue of the last phase alone */
  readonly drain?: boolean;
  /** Whether the phase counts for the figures of the whole scenario; a warm-up does not. @defaultValue true */
  readonly counted?: boolean;
  /** Thresholds of this phase alone. @defaultValue none */
  readonly thresholds?: LoadThresholds;
}

/** A load test as data: it is JSON-safe, so that it may stand in a file. */
export interface LoadScenario {
  readonly name: string;
  /** One sentence: what a met scenario proves. */
  readonly proves: string;
  /** Phases in their order, at least one. */
  readonly phases: readonly LoadPhase[];
  /** Kinds of calls; a seeded draw mixes them by their shares. @defaultValue one, with a new small image each */
  readonly traffic?: readonly LoadTraffic[];
  /** Thresholds of the whole scenario; they are added to `PERFORMANCE_THRESHOLDS`, and win. */
  readonly thresholds?: LoadThresholds;
  /** Options of the fake server for which the thresholds are meant. Start yours with them. */
  readonly server?: FakeOpenAIProcessOptions;
  /** Options of the client for which the thresholds are meant, without key and address. */
  readonly client?: DescribeClientOptions;
  /** Clients that take calls in turn; `npm run perf:test` makes so many. @defaultValue 1 */
  readonly clients?: number;
  /** Whether it needs a Redis server. @defaultValue false */
  readonly needsRedis?: boolean;
}

const rate = finiteNumber({ min: 0.01, max: 100_000 });
const isNumber = (value: unknown) => typeof value === 'number';

const trafficCheck = shape({
  share: finiteNumber({ min: 0.0001 }),
  method: oneOf('describe', 'stream'),
  images: whichever([[isNumber, integer({ min: 1 })]], oneOf('new')),
  imageBytes: integer({ min: 200, max: 50_000_000 }),
  tenants: integer({ min: 1, max: 1000 }),
  prompt: text(),
});

const phaseFields = shape({
  name: required(nonEmptyText()),
  durationMs: required(milliseconds()),
  rate: whichever([[isNumber, rate]], shape({ from: required(rate), to: required(rate) })),
  concurrency: integer({ min: 1, max: 10_000 }),
  faults: checkFaultPlan,
  limits: checkLimits,
  neighbourPerMinute: finiteNumber({ min: 1, max: 60_000 }),
  server: oneOf('stop', 'start'),
  redis: oneOf('kill', 'restart', 'pause', 'resume'),
  drain: boolean(),
  counted: boolean(),
  thresholds: shape(THRESHOLD_CHECKS),
});

/** A phase has exactly one kind of load. */
const phaseCheck: OptionCheck = (value, option) => {
  const issues = phaseFields(value, option);
  if (issues.length > 0) return issues;
  const { rate: ofRate, concurrency } = value as LoadPhase;
  const given = [ofRate, concurrency].filter((load) => load !== undefined).length;
  return given === 1 ? [] : [{ option, expected: 'either rate or concurrency', got: given === 0 ? 'neither' : 'both' }];
};

const filled =
  (list: OptionCheck): OptionCheck =>
  (value, option) =>
    Array.isArray(value) && value.length === 0
      ? [{ option, expected: 'at least one', got: 'none' }]
      : list(value, option);

const scenarioCheck = shape({
  name: required(nonEmptyText()),
  proves: required(nonEmptyText()),
  phases: required(filled(listOf(phaseCheck)), 'an array of phases'),
  traffic: filled(listOf(trafficCheck)),
  thresholds: shape(THRESHOLD_CHECKS),
  server: anything(),
  client: anything(),
  clients: integer({ min: 1, max: 64 }),
  needsRedis: boolean(),
});

/** @throws `DESCRIBE_CONFIG_INVALID` that lists everything wrong with a scenario */
export function checkLoadScenario(scenario: unknown): asserts scenario is LoadScenario {
  const issues = scenarioCheck(scenario, 'scenario');
  if (issues.length > 0) throw new ConfigError('runLoadScenario', issues);
}

/** Fields of a phase that need a fake server. */
const HARM = ['faults', 'limits', 'server', 'neighbourPerMinute'] as const;

/** Says which of the run's options a scenario needs: the servers to which it does something. */
export function needIssues(
  { phases, traffic = [] }: LoadScenario,
  given: { readonly isFake: boolean; readonly hasRedis: boolean; readonly tenantKeys: readonly string[] },
): readonly ConfigIssue[] {
  const harmed = phases.find((phase) => HARM.some((field) => phase[field] !== undefined));
  const redis = phases.find((phase) => phase.redis !== undefined);
  const tenants = Math.max(0, ...traffic.map((kind) => kind.tenants ?? 0));
  const issues: ConfigIssue[] = [];
  if (harmed !== undefined && !given.isFake) {
    const expected = `a fake server, which the phase ${JSON.stringify(harmed.name)} changes`;
    issues.push({ option: 'server', expected, got: 'a URL or nothing' });
  }
  if (redis !== undefined && !given.hasRedis) {
    const expected = `a Redis server, to which the phase ${JSON.stringify(redis.name)} does something`;
    issues.push({ option: 'redis', expected, got: 'nothing' });
  }
  if (tenants > given.tenantKeys.length) {
    issues.push({ option: 'tenantKeys', expected: `${tenants} keys of tenants`, got: `${given.tenantKeys.length}` });
  }
  return issues;
}
