import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { QuotaLimiter } from './quota-limiter.ts';
import type { QuotaPermit } from './quota-permit.ts';

const SEED = 20261122;

type Step =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'take'; readonly tokens: number }
  | {
      readonly kind: 'end';
      readonly how: 'answered' | 'throttled' | 'failed' | 'refund';
      readonly at: number;
    }
  | { readonly kind: 'headers'; readonly at: number; readonly remaining: number; readonly resetMs: number };

const at = fc.nat(20);
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 3_000 }) }),
    fc.record({ kind: fc.constant('take' as const), tokens: fc.integer({ min: 0, max: 3_000 }) }),
    fc.record({
      kind: fc.constant('end' as const),
      how: fc.constantFrom('answered' as const, 'throttled' as const, 'failed' as const, 'refund' as const),
      at,
    }),
    fc.record({
      kind: fc.constant('headers' as const),
      at,
      remaining: fc.integer({ min: 0, max: 700 }),
      resetMs: fc.integer({ min: 0, max: 60_000 }),
    }),
  ) as fc.Arbitrary<Step>,
  { maxLength: 150 },
);

describe('QuotaLimiter, whatever happens', () => {
  it('never lets more pass in any time than the given limits allow, and never a larger debt than one request’s', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (played) => {
        const clock = new ManualClock();
        const limits = { requestsPerMinute: 600, tokensPerMinute: 60_000 };
        const limiter = new QuotaLimiter({ name: 'quota', limits, clock, random: () => 0.5 });
        const open: QuotaPermit[] = [];
        let sent: { atMs: number; tokens: number }[] = [];
        const tokensOf = new Map<QuotaPermit, (typeof sent)[number]>();
        for (const step of played) {
          if (step.kind === 'pass') await clock.advance(step.ms);
          else if (step.kind === 'take') {
            if (limiter.waitMs(step.tokens) > 0) continue;
            const permit = limiter.take(step.tokens);
            const record = { atMs: clock.now(), tokens: step.tokens };
            open.push(permit);
            sent.push(record);
            tokensOf.set(permit, record);
          } else {
            const [permit] = open.splice(step.at % Math.max(1, open.length), 1);
            if (permit === undefined) continue;
            if (step.kind === 'headers') {
              const { remaining, resetMs } = step;
              permit.answered({ limits: { requests: { limit: 700, remaining, resetMs } } });
            } else if (step.how === 'refund') {
              permit.refund();
              sent = sent.filter((record) => record !== tokensOf.get(permit));
            } else if (step.how === 'throttled') permit.throttled({ retryAfterMs: 100 });
            else if (step.how === 'failed') permit.failed();
            else permit.answered({});
          }
        }
        for (let first = 0; first < sent.length; first += 1) {
          let tokens = 0;
          for (let last = first; last < sent.length; last += 1) {
            const spanMs = (sent[last]?.atMs ?? 0) - (sent[first]?.atMs ?? 0);
            expect(last - first + 1).toBeLessThanOrEqual(10 + spanMs / 100 + 1e-6);
            expect(tokens).toBeLessThanOrEqual(1_000 + spanMs + 1e-6);
            tokens += sent[last]?.tokens ?? 0;
          }
        }
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  it('never waits for ever: a request that waits passes after the time that it was told, unless something happened', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 0, max: 100_000 }), async (played, tokens) => {
        const clock = new ManualClock();
        const limits = { requestsPerMinute: 600, tokensPerMinute: 60_000 };
        const limiter = new QuotaLimiter({ name: 'quota', limits, clock, random: () => 0.5 });
        const open: QuotaPermit[] = [];
        for (const step of played) {
          if (step.kind === 'pass') await clock.advance(step.ms);
          else if (step.kind === 'take' && limiter.waitMs(step.tokens) === 0) open.push(limiter.take(step.tokens));
          else if (step.kind === 'headers') {
            const { remaining, resetMs } = step;
            open.pop()?.answered({ limits: { tokens: { limit: 50_000, remaining, resetMs } }, chargedTokens: 10 });
          } else if (step.kind === 'end' && step.how === 'throttled') open.pop()?.throttled({});
        }
        const waitMs = limiter.waitMs(tokens);
        expect(Number.isFinite(waitMs)).toBe(true);
        expect(waitMs).toBeLessThan(600_000);
        await clock.advance(waitMs + 1e-6);
        expect(limiter.waitMs(tokens)).toBeLessThan(1e-3);
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  it('stays usable whatever headers, counts and estimates hold', async () => {
    const anything = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 0, undefined),
    ) as fc.Arbitrary<number>;
    const reading = fc.record({ limit: anything, remaining: anything, resetMs: anything });
    const answers = fc.array(
      fc.record({
        tokens: anything,
        chargedTokens: anything,
        retryAfterMs: anything,
        refused: fc.boolean(),
        limits: fc.record({ requests: reading, tokens: reading }),
      }),
      { maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(answers, async (played) => {
        const clock = new ManualClock();
        const limiter = new QuotaLimiter({ name: 'quota', clock, random: () => 0.5 });
        for (const { tokens, refused, ...answer } of played) {
          const permit = limiter.take(tokens);
          if (refused) permit.throttled(answer);
          else permit.answered(answer);
          expect(limiter.waitMs(tokens)).toBeGreaterThanOrEqual(0);
          expect(limiter.waitMs(1)).toBeLessThan(Number.POSITIVE_INFINITY);
          expect(limiter.drainMs(1, 1)).toBeLessThan(Number.POSITIVE_INFINITY);
          await clock.advance(10);
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});
