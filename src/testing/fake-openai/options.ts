import type { ConfigIssue } from '../../errors/config-error.ts';
import { type Clock, systemClock } from '../../internal/clock.ts';
import { definedOf } from '../../internal/options/defined-of.ts';
import {
  boolean,
  checkOptions,
  finiteNumber,
  integer,
  listOf,
  milliseconds,
  nonEmptyText,
  type OptionCheck,
  required,
  secret,
  shape,
  textRecord,
  whichever,
  withMethods,
} from '../../internal/options/option-checks.ts';
import { REASONING_EFFORTS, type ReasoningEffort } from '../../internal/options/reasoning-effort.ts';
import { checkFaultPlan } from './fault-checks.ts';
import type { FaultPlan, FaultRule } from './fault-plan.ts';
import type { Latency } from './latency.ts';
import { checkLatency } from './latency-checks.ts';
import { checkModels } from './model-checks.ts';
import type { FakeLimits } from './quota-group.ts';
import type { FakeQuotaGroup } from './quota-groups.ts';
import { REASONING_TOKENS } from './reasoning.ts';
import type { FakeModel } from './token-table.ts';

/** Options of {@link startFakeOpenAI}. */
export interface FakeOpenAIOptions {
  /** TCP port on 127.0.0.1; 0 takes a free one. @defaultValue 0 */
  readonly port?: number;
  /** Accepted keys, as a bearer token or in an `api-key` header. @defaultValue `['sk-fake']` */
  readonly apiKeys?: readonly string[];
  /** Models on top of the built-in table; the same name replaces its entry. @defaultValue none */
  readonly models?: Readonly<Record<string, FakeModel>>;
  /**
   * Descriptions that replace an image's facts, by its hash (of `readImageFacts`).
   * @defaultValue none: every image is described by its facts
   */
  readonly descriptions?: Readonly<Record<string, string>>;
  /**
   * Share of each prompt that `usage` counts as cached, 0 to 1. As on the API, in steps of 128 tokens, and none of a
   * prompt below 1,024. @defaultValue 0
   */
  readonly cachedPromptRatio?: number;
  /**
   * Hidden tokens that a reasoning model spends before each answer, by effort. They count against the output limit: one
   * that they fill leaves an empty answer, which is billed.
   * @defaultValue none 0, minimal 0, low 192, medium 512, high 1024, xhigh 4096, max 8192
   */
  readonly reasoningTokens?: Readonly<Partial<Record<ReasoningEffort, number>>>;
  /**
   * Limits of all keys together, for each model its own; holds where no group of `quotaGroups` fits.
   * @defaultValue none
   */
  readonly limits?: FakeLimits;
  /** Which keys and models share which limits; the first group that fits a request holds it. @defaultValue none */
  readonly quotaGroups?: readonly FakeQuotaGroup[];
  /** Time of each answer before its first byte. @defaultValue no added time */
  readonly latency?: Latency;
  /** Milliseconds between the writes of a stream, each an event unless a quirk says otherwise. @defaultValue 0 */
  readonly streamDelayMs?: number;
  /** The faults; `setFaults()` replaces them. @defaultValue none */
  readonly faults?: FaultPlan | readonly FaultRule[];
  /** Seed of everything that is drawn. @defaultValue 1 */
  readonly seed?: number;
  /** Whether `seen()` keeps requests with their bodies. Turn it off for benches. @defaultValue true */
  readonly record?: boolean;
  /**
   * Whether `getStats()` counts the requests of each image. Turn it off for loads of hours, whose images are many.
   * @defaultValue true
   */
  readonly countImages?: boolean;
  /** Most requests that `seen()` keeps; the oldest go first. @defaultValue 10000 */
  readonly maxRecordedRequests?: number;
  /** Most bytes of bodies that `seen()` keeps; the oldest requests go first. @defaultValue 67108864 (64 MiB) */
  readonly maxRecordedBytes?: number;
  /**
   * Milliseconds after which the server closes an idle connection. It sends no `Keep-Alive` hint, as the API doesn't.
   * @defaultValue 60000
   */
  readonly keepAliveTimeoutMs?: number;
  /** Largest body of a request, in bytes. @defaultValue 536870912 (512 MiB) */
  readonly maxBodyBytes?: number;
  /** Largest image, in bytes. @defaultValue 52428800 (50 MiB) */
  readonly maxImageBytes?: number;
  /** Most images of a request. @defaultValue 1500 */
  readonly maxImages?: number;
  /** Milliseconds that the download of an image may take, by the system's clock. @defaultValue 5000 */
  readonly imageTimeoutMs?: number;
  /** Time of limits and latencies. @defaultValue the system's */
  readonly clock?: Clock;
}

type Given = 'limits' | 'quotaGroups' | 'latency' | 'faults' | 'reasoningTokens';

/** The options with every default filled in. */
export type ResolvedOptions = Required<Omit<FakeOpenAIOptions, Given>> & {
  readonly quotaGroups: readonly FakeQuotaGroup[];
  readonly latency: Latency | undefined;
  readonly faults: FaultPlan;
  readonly reasoningTokens: Readonly<Record<ReasoningEffort, number>>;
};

const DEFAULTS = {
  port: 0,
  apiKeys: ['sk-fake'],
  models: {},
  descriptions: {},
  cachedPromptRatio: 0,
  streamDelayMs: 0,
  seed: 1,
  record: true,
  countImages: true,
  maxRecordedRequests: 10_000,
  maxRecordedBytes: 64 * 2 ** 20,
  keepAliveTimeoutMs: 60_000,
  maxBodyBytes: 512 * 2 ** 20,
  maxImageBytes: 50 * 2 ** 20,
  maxImages: 1500,
  imageTimeoutMs: 5000,
} as const satisfies FakeOpenAIOptions;

const limitsCheck: OptionCheck = shape({
  requestsPerMinute: finiteNumber({ min: 1 }),
  requestsPerDay: finiteNumber({ min: 1 }),
  tokensPerMinute: finiteNumber({ min: 1 }),
  tokensPerDay: finiteNumber({ min: 1 }),
  imagesPerMinute: finiteNumber({ min: 1 }),
  maxConcurrency: integer({ min: 1 }),
  burstSeconds: finiteNumber({ min: 0.001, max: 60 }),
  countRejected: boolean(),
});

const filled =
  (list: OptionCheck): OptionCheck =>
  (value, option): readonly ConfigIssue[] =>
    Array.isArray(value) && value.length === 0
      ? [{ option, expected: 'a filled array', got: 'an empty one' }]
      : list(value, option);

const quotaGroupsCheck: OptionCheck = listOf(
  shape({
    name: required(nonEmptyText()),
    organization: nonEmptyText(),
    project: nonEmptyText(),
    apiKeys: filled(listOf(secret())),
    models: filled(listOf(nonEmptyText())),
    limits: required(limitsCheck),
  }),
);

const groupsOf = (
  limits: FakeLimits | undefined,
  quotaGroups: readonly FakeQuotaGroup[] = [],
): readonly FakeQuotaGroup[] => [...quotaGroups, ...(limits === undefined ? [] : [{ name: 'default', limits }])];

/** The check of limits for all keys, or of groups. */
export const checkLimits: OptionCheck = whichever([[Array.isArray, quotaGroupsCheck]], limitsCheck);

/** Checks limits that are set later, and gives the groups they make. */
export function checkedGroups(given: FakeLimits | readonly FakeQuotaGroup[]): readonly FakeQuotaGroup[] {
  const [limits, quotaGroups] = 'length' in given ? [undefined, given] : [given, undefined];
  checkOptions('setLimits', { limits, quotaGroups }, { limits: limitsCheck, quotaGroups: quotaGroupsCheck });
  return groupsOf(limits, quotaGroups);
}

/** Checks everything at once and fills in the defaults. */
export function resolveOptions(options: FakeOpenAIOptions): ResolvedOptions {
  checkOptions<FakeOpenAIOptions>('startFakeOpenAI', options, {
    port: integer({ min: 0, max: 65_535 }),
    apiKeys: filled(listOf(secret())),
    models: checkModels,
    descriptions: textRecord(),
    cachedPromptRatio: finiteNumber({ min: 0, max: 1 }),
    reasoningTokens: shape(Object.fromEntries(REASONING_EFFORTS.map((effort) => [effort, integer({ min: 0 })]))),
    limits: limitsCheck,
    quotaGroups: quotaGroupsCheck,
    latency: checkLatency,
    streamDelayMs: milliseconds({ min: 0 }),
    faults: checkFaultPlan,
    seed: integer(),
    record: boolean(),
    countImages: boolean(),
    maxRecordedRequests: integer({ min: 1 }),
    maxRecordedBytes: integer({ min: 0 }),
    keepAliveTimeoutMs: milliseconds(),
    maxBodyBytes: integer({ min: 1 }),
    maxImageBytes: integer({ min: 1 }),
    maxImages: integer({ min: 1 }),
    imageTimeoutMs: milliseconds(),
    clock: withMethods('a clock', 'now', 'setTimeout', 'clearTimeout'),
  });
  const { limits, quotaGroups, latency, reasoningTokens, faults = [], clock = systemClock, ...rest } = options;
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return {
    ...DEFAULTS,
    ...Object.fromEntries(given),
    quotaGroups: groupsOf(limits, quotaGroups),
    latency,
    reasoningTokens: { ...REASONING_TOKENS, ...definedOf(reasoningTokens ?? {}) },
    faults: toPlan(faults),
    clock,
  };
}

/** A plan out of a plan or its rules. */
export const toPlan = (faults: FaultPlan | readonly FaultRule[]): FaultPlan =>
  'rules' in faults ? faults : { rules: faults };
