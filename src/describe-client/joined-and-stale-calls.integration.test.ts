import { describe, expect, it } from 'vitest';
import { describeImageFacts } from '../testing/index.ts';
import { codeOf, image, useFakeApi } from './fake-api.fixture.ts';

const { server, start } = useFakeApi();
const slow = (ms: number) => [{ fault: { kind: 'latency', latency: { distribution: 'fixed', ms } } } as const];
const pause = (delayMs: number) => new Promise((resolve) => setTimeout(resolve, delayMs));

describe('a joined call', () => {
  it('has its own deadline and tries', async () => {
    server().setFaults([...slow(60), { times: 1, fault: { kind: 'error', status: 500 } }]);
    const started = start({ retry: { initialDelayMs: 100, maxDelayMs: 100 } });
    const owner = started.describe(image, { timeoutMs: 120 });
    const joined = started.describe(image, { timeoutMs: 5000 });
    expect(await codeOf(owner)).not.toBe('fulfilled');
    await expect(joined).resolves.toMatchObject({ description: describeImageFacts(image) });
  });

  it('has its own limit of output', async () => {
    server().setFaults(slow(40));
    const started = start();
    const owner = started.describe(image, { maxOutputTokens: 1 });
    const joined = started.describe(image, { maxOutputTokens: 300 });
    expect(await codeOf(owner)).toBe('DESCRIBE_OUTPUT_TRUNCATED');
    await expect(joined).resolves.toMatchObject({ description: describeImageFacts(image) });
  });
});

describe('an expired description', () => {
  it('stands in when the API hangs, before the deadline', async () => {
    const started = start({
      cache: { defaultTTL: 0.05, graceSeconds: 600, ttlJitterRatio: 0 },
      timeoutMs: 1_000,
    });
    await started.describe(image, { timeoutMs: 30_000 });
    await pause(80);
    server().setFaults([{ fault: { kind: 'hang' } }]);
    await expect(started.describe(image)).resolves.toMatchObject({ source: 'stale' });
  });
});
