import { headerRecord } from '../../internal/options/http-checks.ts';
import {
  boundedText,
  integer,
  MAX_MODEL_LENGTH,
  type OptionChecks,
  shape,
} from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';
import { QUOTA_LIMIT_CHECKS, type QuotaLimitOptions } from './endpoint-options.ts';
import { DESCRIBE_SPEC } from './request-spec.ts';

/** Bounds of the tenants that `withKey` makes. */
export interface TenantsOptions {
  /**
   * Most tenants that keep their connections, breakers and limits, at least 1. Above it the least recently used one
   * that has no call in work is evicted; its next call makes it anew.
   * @defaultValue 1000
   */
  readonly max?: number | undefined;
  /**
   * Most connections of all tenants together, at least 1. When none is left, an idle one of another tenant is closed,
   * or the call waits; tenants with the fewest connections go first.
   * @defaultValue 200
   */
  readonly maxConnections?: number | undefined;
}

export const TENANTS_SPEC = {
  max: withDefault(integer({ min: 1 }), 1000),
  maxConnections: withDefault(integer({ min: 1 }), 200),
} satisfies OptionChecks<TenantsOptions>;

/** What sets a tenant apart from the client whose `withKey` makes it. */
export interface TenantOptions {
  /**
   * Owner of the descriptions, nested within the client's own `cacheScope`. At most 256 characters. A function as key
   * requires it.
   * @defaultValue the hash of the key
   */
  readonly cacheScope?: string | undefined;
  /**
   * Name of the endpoint whose key is replaced; a client with several endpoints requires it.
   * @defaultValue the only endpoint
   */
  readonly endpoint?: string | undefined;
  /** Headers sent with every request of the tenant; none of the client's are. @defaultValue none */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Limits of the tenant's account.
   * @defaultValue what the answers' headers say, and the client's `maxConcurrency` and `initialConcurrency`
   */
  readonly limits?: QuotaLimitOptions | undefined;
}

export const TENANT_SPEC = {
  cacheScope: DESCRIBE_SPEC.cacheScope,
  endpoint: boundedText(MAX_MODEL_LENGTH),
  headers: headerRecord(),
  limits: shape(QUOTA_LIMIT_CHECKS),
} satisfies OptionChecks<TenantOptions>;
