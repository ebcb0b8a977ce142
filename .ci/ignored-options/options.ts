import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BATCH_SPEC } from '../../src/batch-processor/batch-processor-options.ts';
import { VISION_BATCH_SPEC } from '../../src/batch-processor/vision-description-batch-processor.ts';
import { BREAKER_SPEC } from '../../src/circuit-breaker/circuit-breaker-options.ts';
import { DESCRIBE_MANY_SPEC } from '../../src/describe-client/bulk/describe-many.ts';
import { ESTIMATE_SPEC } from '../../src/describe-client/bulk/estimate-calls.ts';
import { CLIENT_WARM_SPEC } from '../../src/describe-client/bulk/warm-cache.ts';
import { CLIENT_SPEC } from '../../src/describe-client/options/client-spec.ts';
import { DESCRIBE_SPEC } from '../../src/describe-client/options/request-spec.ts';
import { TENANT_SPEC } from '../../src/describe-client/options/tenant-options.ts';
import { copyBy, type OptionCheck, shape } from '../../src/internal/options/option-checks.ts';
import { POOL_SPEC } from '../../src/openai/pool/openai-pool-options.ts';
import { MONITOR_SPEC } from '../../src/performance-monitor/monitor-options.ts';
import { CACHE_SPEC } from '../../src/redis-cache/cache-options.ts';
import { RETRY_SPEC } from '../../src/retry/retry-options.ts';
import { repositoryRoot } from '../runtimes.ts';
import { membersOf } from './ignore.ts';

type Spec = Readonly<Record<string, OptionCheck>>;

/** Options of which a value with a nested one is `{ name: { nested: leaf } }`, or `[{ … }]` for a name `[]`. */
const valueWith = ([name, ...rest]: readonly string[], leaf: unknown): unknown =>
  name === undefined ? leaf : name === '[]' ? [valueWith(rest, leaf)] : { [name]: valueWith(rest, leaf) };

const valueAt = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name === '[]' ? 0 : name], value);

/** Paths of the options that a check nests, known by the copy that it makes: each name is in it. */
function pathsIn(check: OptionCheck, at: readonly string[] = []): readonly (readonly string[])[] {
  const isList = Array.isArray(valueAt(copyBy(check, valueWith(at, [{}])), at));
  const here = isList ? [...at, '[]'] : at;
  const names = Object.keys(valueAt(copyBy(check, valueWith(here, {})), here) ?? {});
  const paths = names.map((name) => [...here, name]).filter((path) => !isRefused(check, path));
  return paths.flatMap((path) => [path, ...pathsIn(check, path)]);
}

/** Whether the client decides this option of a part, and refuses it there. */
const isRefused = (check: OptionCheck, path: readonly string[]): boolean =>
  check(valueWith(path, {}), '').some(({ expected }) => expected.startsWith('nothing here'));

const named = (owner: string, spec: Spec): readonly string[] =>
  pathsIn(shape(spec)).map((path) => [owner, ...path].join('.'));

/** What a class takes beside its own options. */
const without = (spec: Spec, other: Spec): Spec =>
  Object.fromEntries(Object.entries(spec).filter(([name]) => !Object.hasOwn(other, name)));

const CLIENT_FILE = join(repositoryRoot, 'src/describe-client/describe-client.ts');

/** Every option of the client, its requests, its methods and its parts, and every member of the client. */
export const OPTIONS: readonly string[] = [
  ...named('client', CLIENT_SPEC),
  ...named('request', DESCRIBE_SPEC),
  ...named('describeMany', { ...DESCRIBE_SPEC, ...DESCRIBE_MANY_SPEC }),
  ...named('warm', CLIENT_WARM_SPEC),
  ...named('estimate', ESTIMATE_SPEC),
  ...named('withKey', TENANT_SPEC),
  ...membersOf(readFileSync(CLIENT_FILE, 'utf8'))
    .filter((name) => name !== 'constructor')
    .map((name) => `member.${name}`),
  ...named('OpenAIConnectionPool', POOL_SPEC),
  ...named('BatchProcessor', BATCH_SPEC),
  ...named('VisionDescriptionBatchProcessor', without(VISION_BATCH_SPEC, BATCH_SPEC)),
  ...named('RedisCache', CACHE_SPEC),
  ...named('CircuitBreaker', BREAKER_SPEC),
  ...named('PerformanceMonitor', MONITOR_SPEC),
  ...named('RetryPolicy', RETRY_SPEC),
];
