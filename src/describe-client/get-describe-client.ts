import { bindMethods } from '../internal/bind-methods.ts';
import { processSingleton } from '../internal/modules/process-singleton.ts';
import { DescribeClient } from './describe-client.ts';

/** Where the client of the process is kept, so that one that ends makes way for another. */
interface Holder {
  client?: DescribeClient | undefined;
}

const holder = (): Holder => processSingleton('describe-client', () => ({}));

class ProcessClient extends DescribeClient {
  override close(): Promise<void> {
    this.#makeWay();
    return super.close();
  }

  override destroy(...reason: readonly [reason?: unknown]): Promise<void> {
    this.#makeWay();
    return super.destroy(...reason);
  }

  #makeWay(): void {
    const kept = holder();
    if (kept.client === this) kept.client = undefined;
  }
}

/**
 * The client of this process, which all copies of this package share. The first call makes it from the environment, as
 * `createDescribeClient()` does. A development server that reloads modules keeps it. After its `close()` or
 * `destroy()`, the next call makes a new one.
 *
 * @throws `DESCRIBE_CONFIG_INVALID` that names every variable whose value does not parse. A later call tries again.
 * @example
 * ```ts
 * import { getDescribeClient } from '@describe-it/sdk';
 *
 * const { description } = await getDescribeClient().describe('https://example.com/cat.jpg');
 * console.log(description);
 * ```
 */
export function getDescribeClient(): DescribeClient {
  const kept = holder();
  kept.client ??= bindMethods(new ProcessClient());
  return kept.client;
}
