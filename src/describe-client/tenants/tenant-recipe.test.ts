import { expect, it } from 'vitest';
import { clientSettings } from '../options/client-settings.ts';
import type { QuotaLimitOptions } from '../options/endpoint-options.ts';
import { tenantRecipe, tenantSettings } from './tenant-recipe.ts';

const CLIENT = { processes: 2, maxQueuedCalls: 3, maxBytesInFlight: 4, maxConcurrency: 5, initialConcurrency: 6 };
const settings = clientSettings({ apiKey: 'sk', limits: { ...CLIENT, requestsPerMinute: 7, tokensPerMinute: 8 } }, {});
const limitsOf = (limits?: QuotaLimitOptions) =>
  tenantSettings(tenantRecipe('sk-a', { limits }, settings), settings, { join: () => ({}) } as never).limits;

it('a tenant has the concurrency of its client, and none of the limits of its account', () => {
  expect(limitsOf()).toEqual(CLIENT);
});

it('each limit of its own wins over that of its client', () => {
  const own = {
    requestsPerMinute: 10,
    tokensPerMinute: 20,
    rampFromTokensPerMinute: 30,
    maxConcurrency: 40,
    initialConcurrency: 50,
  } satisfies Required<QuotaLimitOptions>;
  expect(limitsOf(own)).toEqual({ ...CLIENT, ...own });
});
