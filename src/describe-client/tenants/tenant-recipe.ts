import { createHash, createHmac, randomBytes } from 'node:crypto';
import { ConfigError, type ConfigIssue } from '../../errors/config-error.ts';
import { processSingleton } from '../../internal/modules/process-singleton.ts';
import { definedOf } from '../../internal/options/defined-of.ts';
import { canonicalJson } from '../../internal/options/extra-body.ts';
import { describeValue, required, settingsOf, shape } from '../../internal/options/option-checks.ts';
import { NO_OPTIONS } from '../../internal/options/own-options.ts';
import { type ApiKey, apiKeyCheck } from '../../openai/pool/api-key.ts';
import type { SlotPermits } from '../../resource-pool/index.ts';
import type { Logger } from '../options/client-logger.ts';
import type { ClientSettings } from '../options/client-settings.ts';
import { TENANT_SPEC, type TenantOptions } from '../options/tenant-options.ts';

const OWNER = 'withKey';

/** All that a tenant is made from, and made anew from after its eviction. */
export interface TenantRecipe {
  /** The same for the same key and options, in this process. It does not show the key. */
  readonly identity: string;
  readonly apiKey: ApiKey;
  readonly endpoint: string;
  readonly scope: string;
  readonly options: TenantOptions;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * The hash by which stats and logs name a tenant. With the salt of this process, nobody who reads them can find out a
 * key by hashing guesses of it.
 */
const saltedHash = (text: string): string =>
  createHmac(
    'sha256',
    processSingleton('tenant-salt', () => randomBytes(32)),
  )
    .update(text)
    .digest('hex');

const functions = new WeakMap<object, string>();
let functionCount = 0;

/** A function is known by itself, never by the key that it gives. */
function nameOfFunction(provide: object): string {
  const known = functions.get(provide);
  if (known !== undefined) return known;
  functionCount += 1;
  const name = `function ${functionCount}`;
  functions.set(provide, name);
  return name;
}

/** @throws `DESCRIBE_CONFIG_INVALID` that lists everything wrong, and never shows the key. */
export function tenantRecipe(apiKey: ApiKey, given: TenantOptions, settings: ClientSettings): TenantRecipe {
  const issues: ConfigIssue[] = [
    ...required(apiKeyCheck(), 'a key')(apiKey, 'apiKey'),
    ...shape(TENANT_SPEC)(given, ''),
  ];
  if (issues.length > 0) throw new ConfigError(OWNER, issues);
  const options = settingsOf(given, TENANT_SPEC);
  const names = settings.endpoints.map(({ name }) => name);
  const { endpoint = names.length === 1 ? names[0] : undefined } = options;
  if (endpoint === undefined || !names.includes(endpoint)) {
    const got = endpoint === undefined ? 'nothing' : describeValue(endpoint);
    issues.push({ option: 'endpoint', expected: `the name of an endpoint: ${names.join(', ')}`, got });
  }
  if (typeof apiKey === 'function' && options.cacheScope === undefined) {
    issues.push({ option: 'cacheScope', expected: 'a scope beside a key that is a function', got: 'nothing' });
  }
  if (typeof settings.pool === 'function') {
    const expected = 'options in the client: it must own the connections of tenants to bound and close them';
    issues.push({ option: 'pool', expected, got: 'a function' });
  }
  if (issues.length > 0) throw new ConfigError(OWNER, issues);
  const { headers = NO_OPTIONS, limits = NO_OPTIONS } = options;
  const key = typeof apiKey === 'string' ? ['key', apiKey] : ['function', nameOfFunction(apiKey)];
  const scope = options.cacheScope ?? `key ${sha256(`scope of the key\n${String(apiKey)}`)}`;
  return {
    identity: saltedHash(canonicalJson([key, endpoint, { ...headers }, scope, definedOf(limits)])),
    apiKey,
    endpoint: endpoint ?? '',
    scope,
    options,
  };
}

/** The name of a tenant in stats and logs, in this process. */
export const tenantHash = ({ identity }: TenantRecipe): string => identity.slice(0, 16);

/** The settings of a tenant: those of its client, but for what belongs to the client's own account. */
export function tenantSettings(recipe: TenantRecipe, settings: ClientSettings, permits: SlotPermits): ClientSettings {
  const { apiKey, endpoint: name, scope, options } = recipe;
  const { limits, logger, pool, endpoints } = settings;
  const { processes, maxQueuedCalls, maxBytesInFlight, maxConcurrency, initialConcurrency } = limits;
  return {
    ...settings,
    endpoints: endpoints
      .filter((endpoint) => endpoint.name === name)
      .map((endpoint) => ({
        ...endpoint,
        ...{ apiKey, headers: options.headers, organization: undefined, project: undefined, limits: undefined },
      })),
    missingKeys: new Map(),
    tenantScope: scope,
    limits: {
      ...{ processes, maxQueuedCalls, maxBytesInFlight, maxConcurrency, initialConcurrency },
      ...definedOf(options.limits),
    },
    pool: { ...(pool as object), min: 0, permits } as ClientSettings['pool'],
    logger: withTenant(logger, tenantHash(recipe)),
    warmUpOnStart: false,
  };
}

function withTenant(logger: Logger, tenant: string): Logger {
  const tagged =
    (level: keyof Logger): Logger['info'] =>
    (fields, message) =>
      logger[level]({ ...fields, tenant }, message);
  return { debug: tagged('debug'), info: tagged('info'), warn: tagged('warn'), error: tagged('error') };
}
