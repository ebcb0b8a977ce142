import { DescribeError } from '../../errors/describe-error.ts';
import { isPrivateServer, isThisMachine } from '../../http/guard/private-host.ts';
import type { UrlDownloads } from '../../image/index.ts';
import type { EndpointDialect } from '../../openai/exchange/request-dialect.ts';
import type { OpenAIConnectionPool, OpenAIConnectionPoolStats } from '../../openai/index.ts';
import { addressOf, type EndpointDescription } from '../options/endpoint-options.ts';
import type { MissingKeys } from '../options/missing-key.ts';
import type { AttemptBreaker } from '../options/part-options.ts';
import type { BreakerGroup } from './breaker-group.ts';
import type { ConnectionSource } from './stage.ts';

/** An endpoint with the parts that its calls use. */
export interface EndpointParts {
  readonly description: EndpointDescription;
  /** Absent without a key. */
  readonly pool: OpenAIConnectionPool | undefined;
  /** The pool, or what tells each request that the key is missing. */
  readonly connections: ConnectionSource;
  readonly breakers: BreakerGroup;
  /** The form in which its server takes requests. */
  readonly dialect: EndpointDialect;
}

/** The endpoints of a client. */
export class EndpointSet {
  readonly all: readonly EndpointParts[];
  /** The endpoints that get calls: those with a key, if any has one. */
  readonly asked: readonly EndpointParts[];
  /** Connection pools by the name of their endpoint; none for an endpoint without a key. */
  readonly pools: Readonly<Record<string, OpenAIConnectionPool>>;

  /** Why an endpoint has no pool, by the name of the endpoint. */
  readonly missingKeys: MissingKeys;

  /** The images that this process downloads itself: all of them if an endpoint is in the own network. */
  readonly downloads: UrlDownloads;

  constructor(endpoints: readonly EndpointParts[], missingKeys: MissingKeys) {
    this.downloads = downloadsFor(endpoints.map(originOf));
    this.all = endpoints;
    this.missingKeys = missingKeys;
    const withKey = endpoints.filter(({ pool }) => pool !== undefined);
    this.asked = withKey.length === 0 ? endpoints : withKey;
    this.pools = Object.fromEntries(
      endpoints.flatMap(({ description, pool }) => (pool === undefined ? [] : [[description.name, pool]])),
    );
  }

  /**
   * Opens the minimum of connections of every pool that gets calls. Calls `failed` for each pool that fails while
   * another one succeeds.
   * @throws the first failure when no pool could.
   */
  async warmUp(failed: (endpoint: string, code: unknown) => void): Promise<void> {
    const outcomes = await Promise.allSettled(Object.values(this.pools).map((pool) => pool.warmUp()));
    const failures = outcomes.map((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    if (failures.every((reasons) => reasons.length > 0)) throw failures[0]?.[0];
    for (const [index, reasons] of failures.entries()) {
      for (const reason of reasons) failed(Object.keys(this.pools)[index] ?? '', codeOf(reason));
    }
  }

  /** Every breaker so far, by endpoint and model. */
  breakersByName(): Readonly<Record<string, AttemptBreaker>> {
    return Object.assign({}, ...this.all.map(({ breakers }) => breakers.byName()));
  }
}

/** The origin of the pool's real address: a user's function may have made the pool. */
function originOf({ pool, description }: EndpointParts): string {
  const { origin }: Partial<OpenAIConnectionPoolStats> = pool?.getStats() ?? {};
  return origin ?? addressOf(description);
}

function downloadsFor(origins: readonly string[]): UrlDownloads {
  const inOwnNetwork = origins.filter(isPrivateServer);
  if (inOwnNetwork.length === 0) return 'none';
  return inOwnNetwork.every(isThisMachine) ? 'resolvable' : 'all';
}

const codeOf = (reason: unknown) => (DescribeError.is(reason) ? reason.code : undefined);
