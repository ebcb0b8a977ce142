import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { modelFamilyOf, QuotaRegistry } from './quota-registry.ts';

describe('QuotaRegistry', () => {
  it('gives models of one family the same limiter, and each group its own', () => {
    const quotas = new QuotaRegistry({ clock: new ManualClock() });
    const quota = quotas.get('group', 'gpt-4.1-mini');
    expect(quotas.get('group', 'gpt-4.1-mini-2025-04-14')).toBe(quota);
    expect(quotas.get('group', 'gpt-4.1')).not.toBe(quota);
    expect(quotas.get('other', 'gpt-4.1-mini')).not.toBe(quota);
    expect(quotas.getStats().map(({ name }) => name)).toEqual([
      'group/gpt-4.1-mini',
      'group/gpt-4.1',
      'other/gpt-4.1-mini',
    ]);
  });

  it('stops and resumes a group for all of its models, for they have one account', async () => {
    const clock = new ManualClock();
    const quotas = new QuotaRegistry({ clock });
    const error = new UpstreamError('DESCRIBE_QUOTA_EXHAUSTED', 'no credit', { status: 429 });
    const mini = quotas.get('group', 'mini');
    mini.take(1).failed();
    mini.stop(error);
    const nano = quotas.get('group', 'nano');
    expect([nano.stopped, nano.waitMs(1)]).toEqual([error, Number.POSITIVE_INFINITY]);
    expect(quotas.get('other', 'mini').stopped).toBeUndefined();
    await clock.advance(300_000);
    const probe = nano.take(1);
    expect(mini.stopped).toBe(error);
    probe.answered({});
    expect([mini.stopped, mini.waitMs(1)]).toEqual([undefined, 0]);
  });

  it('asks for the limits of a group, and takes those for all where it says nothing', () => {
    const quotas = new QuotaRegistry({
      clock: new ManualClock(),
      limits: { requestsPerMinute: 60 },
      limitsOf: (group) => (group === 'large' ? { requestsPerMinute: 6_000 } : undefined),
    });
    expect(quotas.get('large', 'model').getStats().requests.allowed).toBe(6_000);
    expect(quotas.get('small', 'model').getStats().requests.allowed).toBe(60);
  });

  it('never holds more than so many limiters, and drops an idle one first', () => {
    const quotas = new QuotaRegistry({ clock: new ManualClock(), maxLimiters: 2 });
    const busy = quotas.get('group', 'busy');
    busy.take(1);
    quotas.get('group', 'idle');
    quotas.get('group', 'new');
    expect(quotas.getStats().map(({ name }) => name)).toEqual(['group/busy', 'group/new']);
    expect(quotas.get('group', 'busy')).toBe(busy);
    for (let index = 0; index < 100; index += 1) quotas.get(`group ${index}`, `model ${index}`);
    expect(quotas.getStats()).toHaveLength(2);
  });

  it('leaves one that made way usable for who holds it', async () => {
    const clock = new ManualClock();
    const granted = [2, 0, 0, 0, 1, ...[60, 1, 60, 0, 0], ...[0, 0, 0, 0, 0]];
    const shared = { run: async () => granted };
    const quotas = new QuotaRegistry({
      clock,
      shared,
      maxLimiters: 1,
      limits: { requestsPerMinute: 60_000 },
    });
    const held = quotas.get('group', 'held');
    let told = 0;
    held.onCapacity(() => {
      told += 1;
    });
    quotas.get('group', 'other');
    for (const asked of ['for the limits', 'for a grant']) {
      expect(held.waitMs(1), asked).toBeGreaterThan(0);
      await clock.flush();
    }
    expect([held.waitMs(1), told]).toEqual([0, 2]);
    quotas.close();
  });

  it('holds nothing after its end', () => {
    const quotas = new QuotaRegistry({ clock: new ManualClock() });
    quotas.get('group', 'model');
    quotas.close();
    quotas.close();
    expect(quotas.getStats()).toEqual([]);
  });

  it('lists every wrong option', () => {
    expect(() => new QuotaRegistry({ maxLimiters: 0, limits: { processes: 0 } })).toThrowError(
      /limits.processes[\s\S]*maxLimiters/,
    );
  });
});

describe('modelFamilyOf', () => {
  it('leaves out dates and the names of fine-tuned models', () => {
    expect(modelFamilyOf('gpt-4o-2024-08-06')).toBe('gpt-4o');
    expect(modelFamilyOf('ft:gpt-4o-mini-2024-07-18:org::id')).toBe('gpt-4o-mini');
    expect(modelFamilyOf('llava')).toBe('llava');
  });
});
