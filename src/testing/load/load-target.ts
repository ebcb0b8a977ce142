import type { ConfigIssue } from '../../errors/config-error.ts';
import { describeKind, hasMethods } from '../../internal/options/option-checks.ts';
import type { FaultPlan, FaultRule } from '../fake-openai/fault-plan.ts';
import type { FakeLimits } from '../fake-openai/quota-group.ts';
import type { FakeQuotaGroup } from '../fake-openai/quota-groups.ts';
import type { FakeOpenAIStats } from '../fake-openai/seen-stats.ts';

/** Fields that a call gets beside its image. */
export interface LoadCallOptions {
  readonly signal?: AbortSignal;
  readonly prompt?: string;
}

/** The fields that are read of a result; nothing but the description is needed. */
export interface LoadAnswer {
  readonly description: string;
  readonly source?: string;
  readonly usage?: { readonly totalTokens: number };
  readonly costUsd?: number;
  readonly explain?: { readonly attempts: readonly unknown[]; readonly batchSize: number };
}

/** Anything that describes images: a `DescribeClient`, or your own wiring. */
export interface LoadTarget {
  describe(image: Uint8Array, options?: LoadCallOptions): Promise<LoadAnswer>;
  /** Needed by scenarios with streams. */
  stream?(
    image: Uint8Array,
    options?: LoadCallOptions,
  ): AsyncIterable<string> & { readonly result: Promise<LoadAnswer> };
  /** Needed by scenarios with tenants. */
  withKey?(apiKey: string): LoadTarget;
  /** Tells where the target sends; without it `server` must be given. */
  readonly pools?: Readonly<Record<string, { getStats(): { readonly origin: string } }>>;
}

/** The part of a fake server that a run uses; both `startFakeOpenAI` and `startFakeOpenAIProcess` give it. */
export interface LoadServer {
  readonly baseURL: string;
  readonly apiKey: string;
  getStats(): FakeOpenAIStats | Promise<FakeOpenAIStats>;
  setFaults(faults: FaultPlan | readonly FaultRule[]): void | Promise<void>;
  setLimits(limits: FakeLimits | readonly FakeQuotaGroup[]): void | Promise<void>;
  reset(): void | Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** The part of a Redis server that a run uses; `startRedisServer` gives it. */
export interface LoadRedis {
  kill(): Promise<void>;
  restart(): Promise<void>;
  pause(): void;
  resume(): void;
}

export const isFakeServer = (server: LoadServer | string | undefined): server is LoadServer =>
  hasMethods(server, ['getStats', 'setFaults', 'setLimits', 'reset', 'stop', 'start']);

const isLoopback = ({ hostname }: URL) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

/** Servers that bill each request. */
const isBilled = ({ hostname }: URL) => /(^|\.)(openai\.com|azure\.com|azure\.us|azure\.cn)$/.test(hostname);

/**
 * Says what is wrong with the server of a run: the target sends to one that bills, or to one that nobody named.
 * A load test that reaches the real API by mistake is expensive.
 */
export function addressIssues(
  target: LoadTarget,
  server: LoadServer | string | undefined,
  allowBilled: boolean,
): readonly ConfigIssue[] {
  const named = server === undefined ? undefined : urlOf(typeof server === 'string' ? server : server.baseURL);
  if (server !== undefined && named === undefined) {
    return [{ option: 'server', expected: 'a fake server or an http(s) URL', got: describeKind(server) }];
  }
  const origins = Object.values(target.pools ?? {}).map((pool) => new URL(pool.getStats().origin));
  if (named === undefined && origins.length === 0) {
    const expected = 'the fake server, or the URL, that the client sends to, because the client does not show it';
    return [{ option: 'server', expected, got: 'nothing' }];
  }
  const all = named === undefined ? origins : [named, ...origins];
  const billed = all.find(isBilled);
  if (billed !== undefined) {
    const expected = `true, because each request to ${billed.origin} is billed; or a client of a fake server`;
    return allowBilled ? [] : [{ option: 'allowBilled', expected, got: 'false' }];
  }
  const unnamed = origins.find((origin) => !isLoopback(origin) && origin.origin !== named?.origin);
  if (unnamed === undefined) return [];
  return [
    { option: 'server', expected: `${unnamed.origin}, to which the client sends`, got: named?.origin ?? 'nothing' },
  ];
}

function urlOf(given: string): URL | undefined {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) ? url : undefined;
}

/** Says what a target lacks that a scenario needs. */
export function methodIssues(target: unknown, needs: readonly string[]): readonly ConfigIssue[] {
  return needs
    .filter((method) => !hasMethods(target, [method]))
    .map((method) => ({ option: `client.${method}`, expected: 'a function', got: 'nothing' }));
}
