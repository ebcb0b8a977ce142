import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settingsOf } from '../../internal/options/option-checks.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { type AdmissionOptions, CLIENT_LIMIT_CHECKS } from '../options/limit-options.ts';
import { Admission } from './admission.ts';

const CALL_MS = 100;

/** A client's admission with tenants in it, whose calls run for a while and then leave. */
function tenantsOf(count: number, options: AdmissionOptions) {
  const clock = new ManualClock();
  const client = new Admission(settingsOf(options, CLIENT_LIMIT_CHECKS), clock);
  const idle: number[] = [];
  const tenants = Array.from({ length: count }, (_, index) => client.ofTenant(() => void idle.push(index)));
  /** Resolves to the time that the call waited for its capacity. */
  const call = async (admission: Admission | undefined, bytes: number, callMs = CALL_MS): Promise<number> => {
    const ticket = (admission ?? client).enter();
    const sinceMs = clock.now();
    try {
      await ticket.reserve(bytes, new AbortController().signal);
      const waitedMs = clock.now() - sinceMs;
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, callMs));
      return waitedMs;
    } finally {
      ticket.leave();
    }
  };
  return { clock, client, tenants, idle, call };
}

describe('the admission of tenants', () => {
  it('lets one that has many calls hold no more than what is free, so that others get in', async () => {
    const { clock, client, tenants, call } = tenantsOf(3, { maxQueuedCalls: 12 });
    const outcomes = Array.from({ length: 20 }, () => call(tenants[0], 0).catch((error: unknown) => error));
    expect(tenants[0]?.getStats()).toMatchObject({ calls: 6, refused: 14 });
    for (let more = 0; more < 3; more += 1) void call(tenants[1], 0);
    expect(() => tenants[1]?.enter()).toThrow(
      expect.objectContaining({ code: 'DESCRIBE_QUEUE_FULL', option: 'limits.maxQueuedCalls', limit: 12 }),
    );
    // The client itself has its whole limit.
    for (let more = 0; more < 3; more += 1) void call(client, 0);
    expect(client.getStats()).toMatchObject({ calls: 12, refused: 15 });
    expect(() => client.enter()).toThrow(/the client is full/);
    await clock.advance(CALL_MS);
    await Promise.all(outcomes);
    expect(client.getStats()).toMatchObject({ calls: 0, bytesInFlight: 0 });
  });

  it('gives capacity next to the tenant that holds least, whatever another one has waiting', async () => {
    const { clock, tenants, call } = tenantsOf(2, { maxBytesInFlight: 100, maxQueuedCalls: 100_000 });
    const greedy = Array.from({ length: 10_000 }, () => call(tenants[0], 10));
    for (const one of greedy) one.catch(() => {});
    await clock.advance(CALL_MS / 2);
    const late = Array.from({ length: 5 }, () => call(tenants[1], 10));
    await clock.advance(CALL_MS);
    expect(tenants[1]?.getStats()).toMatchObject({ bytesInFlight: 50, waiting: 0 });
    await clock.advance(CALL_MS);
    for (const waitedMs of await Promise.all(late)) expect(waitedMs).toBeLessThanOrEqual(CALL_MS);
  });

  it('tells when the last call of a tenant has ended, and the work that outlived it', () => {
    const { tenants, idle } = tenantsOf(2, {});
    const [tenant] = tenants as [Admission];
    const first = tenant.enter();
    const second = tenant.enter();
    const release = first.hold();
    first.leave();
    second.leave();
    expect({ idle, isBusy: tenant.isBusy }).toEqual({ idle: [], isBusy: true });
    release();
    expect({ idle, isBusy: tenant.isBusy }).toEqual({ idle: [0], isBusy: false });
  });

  it('divides capacity so that no tenant waits for more than its share, by a simulation', async () => {
    const story = fc.record({
      seed: fc.nat(),
      others: fc.integer({ min: 1, max: 6 }),
      bytes: fc.integer({ min: 1, max: 25 }),
    });
    await fc.assert(
      fc.asyncProperty(story, async ({ others, bytes }) => {
        const { clock, client, tenants, call } = tenantsOf(others + 1, {
          maxBytesInFlight: 100,
          maxQueuedCalls: 100_000,
        });
        for (let calls = 0; calls < 1_000; calls += 1) call(tenants[0], 25).catch(() => {});
        const waits: Promise<number>[] = [];
        for (let round = 0; round < 10; round += 1) {
          await clock.advance(CALL_MS / 3);
          for (const tenant of tenants.slice(1)) if (!tenant.isBusy) waits.push(call(tenant, bytes));
        }
        await clock.advance(50 * CALL_MS);
        // Four images of the greedy tenant fit at a time, so the others are served within a few of its calls.
        const longestMs = Math.max(...(await Promise.all(waits)));
        expect(longestMs).toBeLessThanOrEqual(CALL_MS * Math.ceil((others * bytes) / 100 + 1));
        expect(client.getStats().bytesInFlight).toBeLessThanOrEqual(100);
      }),
      { numRuns: 30, seed: 4 },
    );
  });
});
