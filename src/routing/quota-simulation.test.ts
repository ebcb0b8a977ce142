import { describe, expect, it } from 'vitest';
import { QuotaLimiter } from './quota/quota-limiter.ts';
import type { QuotaLimits } from './quota/quota-limiter-options.ts';
import {
  type ApiOptions,
  type ForeignTenant,
  flood,
  floodForeign,
  floodNaively,
  SimulatedApi,
  type SimulatedRequest,
  Tally,
} from './quota-simulation.fixture.ts';
import { SimulatedClock } from './simulated-clock.fixture.ts';

const SEEDS = [1, 2, 3];
const MINUTE_MS = 60_000;
const FROM_MS = 10_000;

interface Scenario {
  readonly limits: ApiOptions['limits'];
  readonly api?: Partial<ApiOptions>;
  readonly given?: QuotaLimits;
  readonly limiters?: number;
  readonly halved?: ApiOptions['limits'];
  readonly foreign?: ForeignTenant;
  readonly request?: (random: () => number) => SimulatedRequest;
}

const small = (): SimulatedRequest => ({ estimated: 60, charged: 60 });
/** Sizes that vary, and are estimated too low by up to 40 %. */
const varied = (random: () => number): SimulatedRequest => {
  const charged = Math.round(300 + 900 * random());
  return { estimated: Math.round(charged * (0.6 + 0.4 * random())), charged };
};

/** Goodput after the first 10 seconds of a minute, as a share of the limit, and how many were refused. */
async function play(seed: number, scenario: Scenario, workers?: number) {
  const { limits, api, given = {}, limiters = 1, halved, foreign, request = small } = scenario;
  const clock = new SimulatedClock();
  const server = new SimulatedApi(clock, { ...api, limits, seed });
  const tally = new Tally(clock, FROM_MS);
  const others = new Tally(clock, FROM_MS);
  const next = () => request(server.random);
  if (workers === undefined) {
    for (let index = 0; index < limiters; index += 1) {
      const options = { name: 'quota', limits: given, clock, random: server.random };
      flood(server, new QuotaLimiter(options), tally, next);
    }
  } else floodNaively(server, tally, next, workers);
  if (foreign !== undefined) floodForeign(server, others, foreign);
  if (halved !== undefined) clock.setTimeout(() => server.setLimits(halved), MINUTE_MS / 2);
  await clock.run(MINUTE_MS);
  const allowed = (limit: number, later = limit) => (20 * limit + 30 * later) / 60;
  const byTokens = limits.requestsPerMinute === undefined || request === varied;
  const share = byTokens
    ? tally.admittedTokensSince /
      (allowed(limits.tokensPerMinute ?? 0, halved?.tokensPerMinute) - others.admittedTokensSince)
    : tally.admittedSince / (allowed(limits.requestsPerMinute ?? 0, halved?.requestsPerMinute) - others.admittedSince);
  return { share, refusedRatio: tally.refusedRatio };
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'bound by requests': { limits: { requestsPerMinute: 600, tokensPerMinute: 1_000_000 } },
  'bound by requests, many': { limits: { requestsPerMinute: 6_000 } },
  'bound by requests, answers in 3 s': { limits: { requestsPerMinute: 600 }, api: { medianMs: 3_000 } },
  'bound by requests, on a way that jitters': { limits: { requestsPerMinute: 600 }, api: { jitterMs: 50 } },
  'with a bucket of a whole minute': { limits: { requestsPerMinute: 600, burstSeconds: 60 } },
  'with a bucket of a whole minute, on a way that reorders': {
    limits: { requestsPerMinute: 600, burstSeconds: 60 },
    api: { jitterMs: 300 },
  },
  'bound by tokens of varying, wrongly estimated requests': {
    limits: { requestsPerMinute: 10_000, tokensPerMinute: 400_000 },
    request: varied,
  },
  'without headers, by given limits': {
    limits: { requestsPerMinute: 600 },
    given: { requestsPerMinute: 600 },
    api: { silent: true },
  },
  'with a limit halved midway': {
    limits: { requestsPerMinute: 1_200 },
    halved: { requestsPerMinute: 600 },
  },
  'with a limit of tokens halved midway': {
    limits: { requestsPerMinute: 10_000, tokensPerMinute: 800_000 },
    halved: { requestsPerMinute: 10_000, tokensPerMinute: 400_000 },
    request: varied,
  },
  'with another tenant that eats half, at times that chance decides': {
    limits: { requestsPerMinute: 3_000 },
    foreign: { perMinute: 1_500, tokens: 0 },
  },
  'with another, regular tenant that eats half': {
    limits: { requestsPerMinute: 600 },
    foreign: { perMinute: 300, tokens: 0, regular: true },
  },
  'with 4 processes that each take a share': {
    limits: { requestsPerMinute: 3_000 },
    given: { requestsPerMinute: 3_000, processes: 4 },
    limiters: 4,
  },
};

describe('a minute at the limit', () => {
  it.each(Object.keys(SCENARIOS))('%s: nearly all is used after 10 s, and next to none refused', async (name) => {
    for (const seed of SEEDS) {
      const { share, refusedRatio } = await play(seed, SCENARIOS[name] ?? { limits: {} });
      expect({ seed, share, refusedRatio }).toSatisfy(() => share >= 0.95 && refusedRatio <= 0.01);
    }
  });

  it('is refused for the most part without a limiter, for contrast', async () => {
    const { refusedRatio } = await play(1, { limits: { requestsPerMinute: 600 } }, 32);
    expect(refusedRatio).toBeGreaterThan(0.5);
  });
});
