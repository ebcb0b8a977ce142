import { ConfigError } from '../../errors/config-error.ts';
import { CallRegister } from '../call/call-register.ts';
import { CallRunner } from '../call/call-runner.ts';
import type { ClientParts } from '../compose-parts.ts';
import type { TenantRecipe } from './tenant-recipe.ts';
import type { TenantRegistry } from './tenant-registry.ts';

/**
 * The parts with which a tenant's client runs its calls. It keeps only its recipe, and gets the parts at each call, so
 * that it works on after the tenant was evicted.
 */
export class TenantCore {
  readonly calls: CallRegister;
  readonly #client: ClientParts;
  readonly #recipe: TenantRecipe;
  readonly #registry: TenantRegistry;
  #partsAfterEnd: ClientParts | undefined;

  constructor(client: ClientParts, calls: CallRegister, registry: TenantRegistry, recipe: TenantRecipe) {
    this.#client = client;
    this.#registry = registry;
    this.#recipe = recipe;
    this.calls = new CallRegister(client.clock, calls);
  }

  get parts(): ClientParts {
    if (this.calls.isOpen) return this.#registry.partsOf(this.#recipe);
    // To look at what is left: nothing. No call uses them.
    this.#partsAfterEnd ??= this.#registry.make(this.#recipe, this.#client.admission);
    return this.#partsAfterEnd;
  }

  get runner(): CallRunner {
    // A closed client refuses the call.
    const parts = this.calls.isOpen ? this.#registry.use(this.#recipe) : this.#client;
    return new CallRunner(parts, this.calls);
  }

  get tenants(): undefined {
    return undefined;
  }

  /** @throws `DESCRIBE_CONFIG_INVALID` always: the key of a tenant is final. */
  tenant(): never {
    throw new ConfigError('withKey', [
      { option: 'client', expected: 'the client that this tenant came from', got: "a tenant's client" },
    ]);
  }

  flush(): void {
    this.#registry.flush(this.#recipe);
  }

  /** Closes the tenant's own parts, unless another client of the same tenant has calls in work. */
  async end(): Promise<void> {
    await this.calls.drained();
    await this.#registry.release(this.#recipe);
  }
}
