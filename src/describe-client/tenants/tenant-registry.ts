import { weakly } from '../../internal/async/abandoned.ts';
import { ignoreRejection } from '../../internal/async/user-callback.ts';
import { setBackgroundTimeout, type TimerHandle } from '../../internal/clock.ts';
import { BoundedMap } from '../../internal/collections/bounded-map.ts';
import { settingsOf } from '../../internal/options/option-checks.ts';
import type { OpenAIConnectionPool } from '../../openai/index.ts';
import type { Admission } from '../call/admission.ts';
import { type ClientParts, composeTenant } from '../compose-parts.ts';
import { TENANTS_SPEC } from '../options/tenant-options.ts';
import { ConnectionPermits } from './connection-permits.ts';
import { type TenantRecipe, tenantHash, tenantSettings } from './tenant-recipe.ts';

/** One tenant of a client. */
export interface TenantStats {
  /** Calls since it was made, or made anew after its eviction. */
  readonly calls: number;
  /** Calls in work. */
  readonly active: number;
  /** Connections that are open, being opened or being closed. */
  readonly connections: number;
  /** Milliseconds since its last call began. */
  readonly unusedMs: number;
}

/** The tenants of a client. */
export interface TenantsStats {
  /** Tenants that keep their connections, breakers and limits. */
  readonly size: number;
  /** Tenants that were evicted, to stay within `tenants.max` or after 10 minutes without a call. */
  readonly evicted: number;
  /** Connections of all tenants together. */
  readonly connections: number;
  /** Tenants whose calls wait for a connection. */
  readonly waiting: number;
  /**
   * Each tenant by a hash of its key and options. The hash is salted: it is another one in each process, and shows
   * nothing of the key. The log lines of a tenant have it as `tenant`.
   */
  readonly byHash: Readonly<Record<string, TenantStats>>;
}

interface Tenant {
  readonly recipe: TenantRecipe;
  readonly parts: ClientParts;
  readonly admission: Admission;
  calls: number;
  usedAtMs: number;
  /** Whether its client was closed, so that it ends with its last call. */
  released: boolean;
}

const sizeOf = (pools: Readonly<Record<string, OpenAIConnectionPool>>): number =>
  Object.values(pools).reduce((sum, { size }) => sum + size, 0);

/** Time after which a tenant without calls is evicted. */
const UNUSED_MS = 600_000;

/**
 * Keeps the parts of tenants. A tenant is made at its first call, evicted when it is out of use, and made anew at its
 * next call. A tenant with a call in work is never evicted.
 */
export class TenantRegistry {
  readonly permits: ConnectionPermits;
  readonly #client: ClientParts;
  readonly #max: number;
  readonly #tenants = new BoundedMap<string, Tenant>(Number.POSITIVE_INFINITY, {
    onEvicted: () => this.#countEvicted(),
  });
  #evicted = 0;
  #timer: TimerHandle | undefined;

  constructor(client: ClientParts) {
    const { max, maxConnections } = settingsOf(client.settings.tenants, TENANTS_SPEC);
    this.#client = client;
    this.#max = max;
    this.permits = new ConnectionPermits(maxConnections, client.clock);
  }

  /** The parts of a tenant, for one more call. */
  use(recipe: TenantRecipe): ClientParts {
    const tenant = this.#of(recipe);
    tenant.calls += 1;
    tenant.usedAtMs = this.#client.clock.now();
    tenant.released = false;
    return tenant.parts;
  }

  /** The parts of a tenant, to look at them. */
  partsOf(recipe: TenantRecipe): ClientParts {
    return this.#of(recipe).parts;
  }

  /** Parts that belong to no tenant and are not closed with the client. */
  make(recipe: TenantRecipe, admission: Admission): ClientParts {
    return composeTenant(this.#client, tenantSettings(recipe, this.#client.settings, this.permits), admission);
  }

  /** Closes the parts of a tenant whose client has ended, or with its last call where another client of it has some. */
  async release({ identity }: TenantRecipe): Promise<void> {
    const tenant = this.#tenants.peek(identity);
    if (tenant === undefined) return;
    tenant.released = true;
    if (tenant.admission.isBusy) return;
    this.#tenants.delete(identity);
    await tenant.parts.close();
  }

  getStats(): TenantsStats {
    const nowMs = this.#client.clock.now();
    const { taken: connections, waiting } = this.permits;
    const byHash = Object.fromEntries(
      [...this.#tenants.values()].map(({ recipe, parts, admission, calls, usedAtMs }): [string, TenantStats] => [
        tenantHash(recipe),
        // Frozen here, because that costs less than a walk through all of them.
        Object.freeze({
          calls,
          active: admission.calls,
          connections: sizeOf(parts.endpoints.pools),
          unusedMs: nowMs - usedAtMs,
        }),
      ]),
    );
    return { size: this.#tenants.size, evicted: this.#evicted, connections, waiting, byHash };
  }

  /** Sends what waits for more images of a batch: of one tenant, or of all. */
  flush(only?: TenantRecipe): void {
    const tenants = only === undefined ? this.#tenants.values() : [this.#tenants.peek(only.identity)];
    for (const tenant of tenants) void tenant?.parts.batch?.flush();
  }

  /** Ends every tenant. */
  async end(how: (parts: ClientParts) => Promise<void>): Promise<void> {
    const tenants = [...this.#tenants.values()];
    this.#tenants.clear();
    if (this.#timer !== undefined) this.#client.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    await Promise.all(tenants.map(({ parts }) => how(parts)));
  }

  #of(recipe: TenantRecipe): Tenant {
    const known = this.#tenants.get(recipe.identity);
    if (known !== undefined) return known;
    const { clock } = this.#client;
    const admission = this.#client.admission.ofTenant(() => this.#onIdle(recipe));
    const parts = this.make(recipe, admission);
    const tenant = { recipe, parts, admission, calls: 0, usedAtMs: clock.now(), released: false };
    this.#tenants.set(recipe.identity, tenant);
    this.#evictAbove(tenant);
    this.#timer ??= this.#sweepLater();
    return tenant;
  }

  #onIdle(recipe: TenantRecipe): void {
    const tenant = this.#tenants.peek(recipe.identity);
    if (tenant === undefined) return;
    if (tenant.released) ignoreRejection(this.release(recipe));
    // Above the maximum all others have calls in work. A search among them would cost each call more.
    else if (this.#tenants.size > this.#max) this.#evictOne(tenant);
  }

  /** Evicts tenants above the maximum. More stay only while all of them have calls in work. */
  #evictAbove(made: Tenant): void {
    const mayEvict = (tenant: Tenant) => tenant !== made && !tenant.admission.isBusy;
    while (this.#tenants.size > this.#max && this.#evict(mayEvict));
  }

  #evictOne({ recipe, parts }: Tenant): void {
    this.#tenants.delete(recipe.identity);
    this.#countEvicted();
    ignoreRejection(parts.close());
  }

  #evict(mayEvict: (tenant: Tenant) => boolean): boolean {
    return this.#tenants.evict((tenant) => {
      if (!mayEvict(tenant)) return false;
      ignoreRejection(tenant.parts.close());
      return true;
    });
  }

  #countEvicted(): void {
    this.#evicted += 1;
  }

  #sweepLater(): TimerHandle {
    return setBackgroundTimeout(this.#client.clock, weakly(this, TenantRegistry.#sweep), UNUSED_MS / 2);
  }

  static #sweep(this: void, registry: TenantRegistry): void {
    const nowMs = registry.#client.clock.now();
    while (registry.#evict(({ admission, usedAtMs }) => !admission.isBusy && nowMs - usedAtMs >= UNUSED_MS));
    registry.#timer = registry.#tenants.size === 0 ? undefined : registry.#sweepLater();
  }
}
