import type { ApiKey } from '../../openai/pool/api-key.ts';
import { CallRegister } from '../call/call-register.ts';
import { CallRunner } from '../call/call-runner.ts';
import type { ClientParts } from '../compose-parts.ts';
import type { TenantOptions } from '../options/tenant-options.ts';
import { TenantCore } from './tenant-core.ts';
import { tenantRecipe } from './tenant-recipe.ts';
import { TenantRegistry, type TenantsStats } from './tenant-registry.ts';

/** The parts with which a client runs its calls, and its tenants. */
export class ClientCore {
  readonly parts: ClientParts;
  readonly calls: CallRegister;
  readonly runner: CallRunner;
  #registry: TenantRegistry | undefined;

  constructor(parts: ClientParts) {
    this.parts = parts;
    this.calls = new CallRegister(parts.clock);
    this.runner = new CallRunner(parts, this.calls);
  }

  /** Undefined before the first tenant. */
  get tenants(): TenantsStats | undefined {
    return this.#registry?.getStats();
  }

  /** @throws `DESCRIBE_CONFIG_INVALID` that lists everything wrong. */
  tenant(apiKey: ApiKey, options: TenantOptions): TenantCore {
    const recipe = tenantRecipe(apiKey, options, this.parts.settings);
    this.#registry ??= new TenantRegistry(this.parts);
    return new TenantCore(this.parts, this.calls, this.#registry, recipe);
  }

  /** Sends what waits for more images of a batch. */
  flush(): void {
    void this.parts.batch?.flush();
    this.#registry?.flush();
  }

  /** Closes the tenants and the parts that the client made; with a reason, without waiting for anything. */
  async end(reason?: unknown): Promise<void> {
    const end = (parts: ClientParts) => (reason === undefined ? parts.close() : parts.destroy(reason));
    await this.#registry?.end(end);
    await end(this.parts);
  }
}
