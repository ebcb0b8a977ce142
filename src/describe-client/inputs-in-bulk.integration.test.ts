import { describe, expect, it } from 'vitest';
import type { DescribeManyOptions } from './bulk/describe-many.ts';
import { codeOf, image, useFakeApi } from './fake-api.fixture.ts';

const { start } = useFakeApi();

describe('describeMany', () => {
  it.each([
    { concurrency: Number.NaN },
    { concurrency: 0 },
    { concurrency: 1.5 },
    { concurrency: '4' },
    { concurency: 4 },
  ])('names what is wrong in %o', async (options) => {
    const iteration = start().describeMany([image], options as DescribeManyOptions);
    expect(await codeOf(iteration.next())).toBe('DESCRIBE_INPUT_INVALID');
  });

  it("heeds a request's own signal beside its own", async () => {
    const inputs = [{ image, signal: AbortSignal.abort('mine') }];
    for await (const item of start().describeMany(inputs)) {
      expect(item).toMatchObject({ status: 'rejected', reason: 'mine' });
    }
  });

  it('lets the event loop turn while items settle at once', async () => {
    let turns = 0;
    const count = () => {
      turns += 1;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    const started = start();
    let items = 0;
    for await (const _item of started.describeMany(Array.from({ length: 5000 }, () => ({ file: '' })))) items += 1;
    clearImmediate(timer);
    expect(items).toBe(5000);
    expect(turns).toBeGreaterThan(3);
  });

  it('ends an endless source when the client is closed', async () => {
    const started = start();
    const endless = (function* () {
      while (true) yield image;
    })();
    const iteration = started.describeMany(endless);
    await iteration.next();
    await started.close();
    let last: unknown;
    for (let item = 0; item < 100 && last === undefined; item += 1) {
      last = await iteration.next().then(
        ({ done }) => (done ? 'done' : undefined),
        (error: unknown) => error,
      );
    }
    expect(last).toMatchObject({ code: 'DESCRIBE_CLOSED' });
  });
});

describe('estimate', () => {
  it.each([
    [5, {}],
    [null, {}],
    [[image], { expectedOutputTokens: Number.NaN }],
    [[image], { requestsPerMinute: 0 }],
    [[image], { requestPerMinute: 5 }],
  ])('names what is wrong in %o, %o', async (inputs, options) => {
    expect(await codeOf(start().estimate(inputs as never, options as never))).toBe('DESCRIBE_INPUT_INVALID');
  });

  it('does not begin where its signal has aborted', async () => {
    expect(await codeOf(start().estimate([image], { signal: AbortSignal.abort('mine') }))).toBe('mine');
  });

  it('ends with its signal, whatever the source does', async () => {
    const hanging = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
    const estimate = start().estimate(hanging, { signal: AbortSignal.timeout(20) });
    await expect(estimate).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});
