import { describe, expect, it } from 'vitest';
import { systemClock } from '../internal/clock.ts';
import { modelCatalog } from '../openai/models/model-catalog.ts';
import { estimateCalls } from './bulk/estimate-calls.ts';
import { ImageIntake } from './call/image-intake.ts';
import { clientSettings } from './options/client-settings.ts';
import type { DescribeInput } from './options/describe-request.ts';

const URL = 'https://images.example.com/cat.jpg';

const estimate = (inputs: Iterable<DescribeInput> | AsyncIterable<DescribeInput>, signal?: AbortSignal) => {
  const settings = clientSettings({ apiKey: 'sk-test' }, {});
  const intake = new ImageIntake({}, systemClock);
  return estimateCalls(inputs, { signal }, { intake, settings, catalog: modelCatalog });
};

describe('the source of the inputs of an estimate', () => {
  it('is closed when an input is wrong, when the caller leaves, and not when it has ended', async () => {
    let closed = 0;
    async function* source(...inputs: DescribeInput[]) {
      try {
        yield* inputs;
      } finally {
        closed += 1;
      }
    }
    await expect(estimate(source(URL, 'http://127.0.0.1/cat.jpg', URL))).rejects.toMatchObject({
      code: 'DESCRIBE_IMAGE_FORBIDDEN',
    });
    expect(closed).toBe(1);
    const controller = new AbortController();
    const reason = new Error('caller left');
    const endless = async function* () {
      try {
        for (let count = 0; ; count += 1) {
          if (count === 3) controller.abort(reason);
          yield URL;
        }
      } finally {
        closed += 1;
      }
    };
    await expect(estimate(endless(), controller.signal)).rejects.toBe(reason);
    await expect.poll(() => closed).toBe(2);
    let asked = 0;
    const counting = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: asked++ > 2, value: URL }) as IteratorResult<string>,
        return: () => Promise.reject(new Error('it has ended')),
      }),
    };
    expect(await estimate(counting)).toMatchObject({ calls: 3 });
  });

  it('may hang, or fail, when it is told to end', async () => {
    for (const end of [() => new Promise(() => {}), () => Promise.reject(new Error('no end'))]) {
      const source = {
        [Symbol.asyncIterator]: () => ({
          next: async () => ({ done: false, value: 'no URL' }) as IteratorResult<string>,
          return: end as () => Promise<IteratorResult<string>>,
        }),
      };
      await expect(estimate(source)).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID' });
    }
  });

  it('lets the event loop run, however many there are', async () => {
    const controller = new AbortController();
    const reason = new Error('caller left');
    setImmediate(() => controller.abort(reason));
    const many = (function* () {
      for (let count = 0; count < 1_000_000; count += 1) yield URL;
    })();
    await expect(estimate(many, controller.signal)).rejects.toBe(reason);
  });
});
