import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { DescribeError, UpstreamError } from '../errors/index.ts';
import { InlineBytes } from '../http/encoding/encode-json.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import {
  apiError,
  describeUrl,
  type FakeFault,
  FakeSender,
  type FakeSenderOptions,
  imagesOf,
} from './fake-sender.fixture.ts';
import type { VisionRequest } from './packs/vision-request.ts';
import {
  type VisionDescriptionBatchOptions,
  VisionDescriptionBatchProcessor,
} from './vision-description-batch-processor.ts';

const address = (name: string | number) => `https://images.example/${name}.jpg`;
const PNG = Uint8Array.from(Buffer.from('89504e470d0a1a0a0000000d', 'hex'));

function visionProcessor(options: VisionDescriptionBatchOptions = {}, senderOptions: FakeSenderOptions = {}) {
  const clock = new ManualClock();
  const sender = new FakeSender(senderOptions);
  const processor = new VisionDescriptionBatchProcessor(sender, { clock, ...options });
  /** Describes these and gives results or errors, in order. */
  const describeAll = async (requests: readonly VisionRequest[]) => {
    const results = Promise.all(requests.map((request) => processor.process(request).catch((error: unknown) => error)));
    await processor.flush();
    return results;
  };
  const pack = (count: number) =>
    describeAll(Array.from({ length: count }, (_, index) => ({ imageUrl: address(index) })));
  return { clock, sender, processor, describeAll, pack };
}

const sizes = (sender: FakeSender) => sender.calls.map(({ urls }) => urls.length);
const isRight = (count: number) =>
  Array.from({ length: count }, (_, index) => expect.objectContaining({ description: describeUrl(address(index)) }));

describe('packing', () => {
  it('puts images of one prompt into one request with an id before each, and gives each its own answer', async () => {
    const { sender, pack } = visionProcessor({ batchSize: 3 });
    expect(await pack(3)).toEqual(isRight(3));
    expect(sizes(sender)).toEqual([3]);
    const request = sender.calls[0]?.request;
    expect(request).toMatchObject({
      model: 'gpt-4.1-mini',
      store: false,
      response_format: { type: 'json_schema' },
    });
    const ids = request === undefined ? [] : imagesOf(request).map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[0-9a-z]{3}$/);
  });

  it('never puts images of two scopes into one request', async () => {
    const { sender, describeAll, processor } = visionProcessor({ batchSize: 3 });
    const scopes = ['a', 'b', undefined, 'a', 'b', undefined];
    await describeAll(scopes.map((scope, index) => ({ imageUrl: address(index), scope })));
    expect(sender.calls.map(({ urls }) => urls)).toEqual(
      [0, 1, 2].map((index) => [address(index), address(index + 3)]),
    );
    await expect(processor.process({ imageUrl: address(1), scope: 5 as never })).rejects.toThrow(/scope/);
  });

  it('asks as its own model, prompt, detail and maxOutputTokens say, where a request has none', async () => {
    const defaults = { model: 'gpt-4o', prompt: 'Name it.', detail: 'high', maxOutputTokens: 77 } as const;
    const { sender, pack } = visionProcessor(defaults);
    await pack(1);
    const request = sender.calls[0]?.request;
    expect(request).toMatchObject({ model: 'gpt-4o', max_completion_tokens: 77 });
    expect(JSON.stringify(request?.messages)).toContain('Name it.');
    expect(JSON.stringify(request?.messages)).toContain('"detail":"high"');
  });

  it('asks for a single image plainly', async () => {
    const { sender, pack } = visionProcessor();
    expect(await pack(1)).toMatchObject([{ model: 'fake-model-1', packSize: 1 }]);
    expect(sender.calls[0]?.request).toEqual({
      model: 'gpt-4.1-mini',
      max_completion_tokens: 300,
      store: false,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Describe this image.' },
            { type: 'image_url', image_url: { url: address(0), detail: 'low' } },
          ],
        },
      ],
    });
  });

  it.each([
    ['prompts', { prompt: 'one' }, { prompt: 'two' }],
    ['models', { model: 'one' }, { model: 'two' }],
    ['details', { detail: 'low' }, { detail: 'high' }],
    ['output limits', { maxOutputTokens: 10 }, { maxOutputTokens: 20 }],
    ['schemas', { schema: { name: 'one', jsonSchema: { type: 'string' } } }, {}],
  ] as const)('never mixes %s in a request', async (_, one, other) => {
    const { sender, describeAll } = visionProcessor({ batchSize: 4 });
    await describeAll([0, 1, 2, 3].map((index) => ({ imageUrl: address(index), ...(index % 2 === 0 ? one : other) })));
    expect(sender.calls.map(({ urls }) => urls)).toEqual([
      [address(0), address(2)],
      [address(1), address(3)],
    ]);
  });

  it('keeps a request within its budgets of tokens and bytes', async () => {
    const tokens = visionProcessor({ batchSize: 9, maxPackTokens: 1_000, estimateTokens: () => 100 });
    await tokens.pack(5);
    expect(sizes(tokens.sender)).toEqual([2, 2, 1]);
    const bytes = visionProcessor({ batchSize: 9, maxPackBytes: 3 * address(0).length });
    await bytes.pack(5);
    expect(sizes(bytes.sender)).toEqual([3, 2]);
  });

  it('sends bytes as a data URL, and a data URL as it is', async () => {
    const { sender, describeAll } = visionProcessor({ batchSize: 2 });
    const dataUrl = 'data:image/gif;base64,R0lGODlh';
    await describeAll([{ image: PNG }, { imageUrl: dataUrl }]);
    expect(sender.calls[0]?.urls).toEqual([`data:image/png;base64,${Buffer.from(PNG).toString('base64')}`, dataUrl]);
  });

  it('leaves bytes to a sender that encodes them itself', async () => {
    const { sender, describeAll } = visionProcessor({ batchSize: 2 }, { takesInlineBytes: true });
    await describeAll([{ image: PNG }, { imageUrl: address(1) }]);
    const [first, second] = (sender.calls[0]?.urls ?? []) as readonly unknown[];
    expect(first).toBeInstanceOf(InlineBytes);
    expect(first).toMatchObject({ mediaType: 'image/png' });
    expect((first as InlineBytes).bytes).toBe(PNG);
    expect(second).toBe(address(1));
  });

  it('hands the sender the very objects that were passed in', async () => {
    const { sender, describeAll } = visionProcessor({ batchSize: 2 });
    const requests = [{ imageUrl: address(0) }, { imageUrl: address(1) }];
    await describeAll(requests);
    const seen = sender.calls[0]?.context.requests ?? [];
    expect(seen.map((request, index) => request === requests[index])).toEqual([true, true]);
  });

  it('answers by a schema, parsed, with a definition that refers to itself', async () => {
    const schema = {
      name: 'tree',
      jsonSchema: {
        type: 'object',
        properties: { child: { $ref: '#' }, at: { $ref: '#/$defs/at' } },
        $defs: { at: { type: 'string' } },
      },
      parse: (value: unknown) => ({ parsed: value }),
    };
    const { sender, describeAll } = visionProcessor({ batchSize: 2 }, { data: (url) => ({ at: url }) });
    const [first, second] = await describeAll([0, 1].map((index) => ({ imageUrl: address(index), schema })));
    expect(first).toMatchObject({
      description: JSON.stringify({ at: address(0) }),
      data: { parsed: { at: address(0) } },
    });
    expect(second).toMatchObject({ data: { parsed: { at: address(1) } } });
    const format = sender.calls[0]?.request.response_format;
    expect(format).toMatchObject({
      json_schema: {
        name: 'tree',
        schema: {
          properties: { items: { items: { properties: { data: { $ref: '#/$defs/image_data' } } } } },
          $defs: {
            at: { type: 'string' },
            image_data: { properties: { child: { $ref: '#/$defs/image_data' } } },
          },
        },
      },
    });
  });
});

describe('an answer in doubt', () => {
  const once =
    (items: NonNullable<ReturnType<FakeFault>>['items']): FakeFault =>
    (_, number) =>
      number === 1 && items !== undefined ? { items } : undefined;

  it.each<[string, FakeFault, number[]]>([
    ['reordered', once((items) => items.reverse()), [4]],
    ['with an item missing', once((items) => items.slice(1)), [4, 1]],
    ['with an item twice', once((items) => [...items, ...items.slice(2, 3)]), [4, 1]],
    ['with an item three times', once((items) => [...items, ...items.slice(0, 1), ...items.slice(0, 1)]), [4, 1]],
    ['with an invented item', once((items) => [...items, { id: 'zzz', text: 'nothing' }]), [4]],
    [
      'with an invented id',
      once((items) => items.map((item, index) => (index === 0 ? { ...item, id: 'zzz' } : item))),
      [4, 1],
    ],
    [
      'with an empty text',
      once((items) => items.map((item, index) => (index === 3 ? { ...item, text: ' ' } : item))),
      [4, 1],
    ],
    ['that is empty', once(() => []), [4, 1, 1, 1, 1]],
  ])('%s is put right', async (_, fault, expected) => {
    const { sender, pack } = visionProcessor({ batchSize: 4 }, { fault });
    expect(await pack(4)).toEqual(isRight(4));
    expect(sizes(sender)).toEqual(expected);
  });

  it('asks again for an item that parse does not accept', async () => {
    let refusals = 1;
    const schema = {
      name: 'text',
      jsonSchema: { type: 'string' },
      parse: (value: unknown) => {
        if (value === describeUrl(address(1)) && refusals-- > 0) throw new Error('not of my type');
        return value;
      },
    };
    const { sender, describeAll } = visionProcessor({ batchSize: 2 });
    expect(await describeAll([0, 1].map((index) => ({ imageUrl: address(index), schema })))).toMatchObject([
      { data: describeUrl(address(0)) },
      { data: describeUrl(address(1)) },
    ]);
    expect(sizes(sender)).toEqual([2, 1]);
  });

  it.each(['Here are your images!', '', '{"items": 3}'])(
    'asks for each alone when the pack is answered with %j',
    async (words) => {
      const fault: FakeFault = ({ urls }) =>
        urls.length > 1 ? { completion: new FakeSender().complete(words, urls.length) } : undefined;
      const { sender, pack } = visionProcessor({ batchSize: 3 }, { fault });
      expect(await pack(3)).toEqual(isRight(3));
      expect(sizes(sender)).toEqual([3, 1, 1, 1]);
    },
  );
});

describe('a bad image', () => {
  const poison =
    (bad: readonly number[], error = () => apiError(400, 'invalid_image')): FakeFault =>
    ({ urls }) =>
      urls.some((url) => bad.some((index) => url === address(index))) ? { error: error() } : undefined;

  it.each([2, 3, 4, 5, 7, 8, 11, 16])('fails alone among %i, within 2·log2 k further requests', async (count) => {
    for (let bad = 0; bad < count; bad += 1) {
      const { sender, pack } = visionProcessor({ batchSize: count }, { fault: poison([bad]) });
      const results = await pack(count);
      for (const [index, result] of results.entries()) {
        if (index === bad) expect(result).toMatchObject({ code: 'DESCRIBE_IMAGE_UNREADABLE' });
        else expect(result).toMatchObject({ description: describeUrl(address(index)) });
      }
      expect(sender.calls.length - 1).toBeLessThanOrEqual(2 * Math.log2(count));
    }
  });

  it('fails with each other bad one, and nothing else does', async () => {
    const { pack } = visionProcessor({ batchSize: 8 }, { fault: poison([0, 3, 7]) });
    const results = await pack(8);
    expect(results.flatMap((result, index) => (DescribeError.is(result) ? index : []))).toEqual([0, 3, 7]);
  });

  it.each<[string, () => Error, string]>([
    ['a policy code', () => apiError(400, 'image_content_policy_violation'), 'DESCRIBE_REFUSED'],
    [
      'an address that does not load',
      () => apiError(400, 'invalid_value', { param: 'url' }),
      'DESCRIBE_IMAGE_FETCH_FAILED',
    ],
    ['an error of ours', () => new UpstreamError('DESCRIBE_REFUSED', 'no'), 'DESCRIBE_REFUSED'],
  ])('is found by %s', async (_, error, code) => {
    const { pack } = visionProcessor({ batchSize: 4 }, { fault: poison([2], error) });
    const results = await pack(4);
    expect(results.map((result) => (DescribeError.is(result) ? result.code : 'ok'))).toEqual(['ok', 'ok', code, 'ok']);
  });

  it.each(['refusal', 'content_filter'] as const)('is found by a %s of the whole answer', async (kind) => {
    const { sender, pack } = visionProcessor(
      { batchSize: 4 },
      {
        fault: ({ urls }) => {
          if (!urls.includes(address(1))) return undefined;
          const choice = kind === 'refusal' ? { refusal: 'I can not' } : { finish_reason: kind };
          return { completion: new FakeSender().complete('', urls.length, choice) };
        },
      },
    );
    const results = await pack(4);
    expect(results[1]).toMatchObject({ code: 'DESCRIBE_REFUSED' });
    expect(results.filter((result) => DescribeError.is(result))).toHaveLength(1);
    expect(sender.calls.length).toBeLessThanOrEqual(5);
  });

  it('is found by a 400 of a kind that nobody knows yet', async () => {
    const { sender, pack } = visionProcessor(
      { batchSize: 8 },
      { fault: poison([5], () => apiError(400, 'image_smells_odd')) },
    );
    const results = await pack(8);
    expect(results.flatMap((result, index) => (DescribeError.is(result) ? index : []))).toEqual([5]);
    expect(results[5]).toMatchObject({ code: 'DESCRIBE_UPSTREAM', status: 400 });
    expect(sender.calls.length - 1).toBeLessThanOrEqual(6);
  });

  it('is told by the port that the caller injects, and a port that throws blames no image', async () => {
    const error = () => new Error('teapot');
    const told = visionProcessor({ batchSize: 4, retry: false, classify: () => 'item' }, { fault: poison([0], error) });
    expect((await told.pack(4)).filter((result) => DescribeError.is(result))).toHaveLength(1);
    const classify = () => {
      throw new Error('broken port');
    };
    const broken = visionProcessor({ batchSize: 4, retry: false, classify }, { fault: poison([0], error) });
    expect((await broken.pack(4)).filter((result) => DescribeError.is(result))).toHaveLength(4);
    expect(sizes(broken.sender)).toEqual([4]);
  });
});

describe('a model that takes no packs', () => {
  const refusePacks: FakeFault = ({ urls }) =>
    urls.length > 1 ? { error: apiError(400, 'unsupported_response_format') } : undefined;

  it('is asked for each image alone, at once from the second pack on', async () => {
    const { sender, pack } = visionProcessor({ batchSize: 4 }, { fault: refusePacks });
    expect(await pack(4)).toEqual(isRight(4));
    const before = sender.calls.length;
    expect(await pack(4)).toEqual(isRight(4));
    expect(sizes(sender).slice(before)).toEqual([1, 1, 1, 1]);
  });

  it('does not keep others from theirs, and neither does a model that refuses an image', async () => {
    const { sender, describeAll } = visionProcessor(
      { batchSize: 2 },
      { fault: (call, number) => (call.request.model === 'old' ? refusePacks(call, number) : undefined) },
    );
    const two = (model: string) => [0, 1].map((index) => ({ imageUrl: address(index), model }));
    await describeAll(two('old'));
    await describeAll(two('new'));
    expect(sizes(sender)).toEqual([2, 1, 1, 2]);
    const poisoned = visionProcessor(
      { batchSize: 2 },
      {
        fault: ({ urls }) => (urls.includes(address(7)) ? { error: apiError(400, 'image_smells_odd') } : undefined),
      },
    );
    await poisoned.describeAll([{ imageUrl: address(0) }, { imageUrl: address(7) }]);
    await poisoned.pack(2);
    expect(sizes(poisoned.sender)).toEqual([2, 1, 1, 2]);
  });
});

describe('too much', () => {
  it.each(['length', 'context', 'tokens a minute'] as const)(
    'splits a pack that hits the limit of %s',
    async (kind) => {
      const { sender, pack } = visionProcessor(
        { batchSize: 8 },
        {
          fault: ({ urls }) => {
            if (urls.length <= 2) return undefined;
            if (kind === 'context') return { error: apiError(400, 'context_length_exceeded') };
            if (kind === 'tokens a minute') {
              const message =
                '429 Request too large for gpt-4.1-mini on tokens per min (TPM): Limit 30000, Requested 51000.';
              return { error: apiError(429, 'rate_limit_exceeded', { message }) };
            }
            return {
              completion: new FakeSender().complete('{"items": [', urls.length, { finish_reason: 'length' }),
            };
          },
        },
      );
      expect(await pack(8)).toEqual(isRight(8));
      expect(sizes(sender).sort()).toEqual([2, 2, 2, 2, 4, 4, 8]);
    },
  );

  it('fails the image whose own answer is too long', async () => {
    const { pack } = visionProcessor(
      { batchSize: 2 },
      {
        fault: ({ urls }) =>
          urls.includes(address(1))
            ? { completion: new FakeSender().complete('so long', urls.length, { finish_reason: 'length' }) }
            : undefined,
      },
    );
    expect(await pack(2)).toMatchObject([
      { description: describeUrl(address(0)) },
      { code: 'DESCRIBE_OUTPUT_TRUNCATED' },
    ]);
  });
});

describe('usage', () => {
  it('adds up to what was billed, requests of no use included', async () => {
    const { sender, pack } = visionProcessor(
      { batchSize: 7 },
      {
        fault: (_, number) => (number === 1 ? { items: (items) => items.slice(2) } : undefined),
      },
    );
    const results = (await pack(7)) as {
      usage: { promptTokens: number; completionTokens: number; totalTokens: number };
    }[];
    const sum = (name: 'promptTokens' | 'completionTokens' | 'totalTokens') =>
      results.reduce((total, { usage }) => total + usage[name], 0);
    expect(sender.calls).toHaveLength(3);
    expect(sum('promptTokens')).toBe(sender.usage.promptTokens);
    expect(sum('completionTokens')).toBe(sender.usage.completionTokens);
    expect(sum('totalTokens')).toBe(sender.usage.promptTokens + sender.usage.completionTokens);
    for (const { usage } of results) expect(Object.values(usage).every(Number.isInteger)).toBe(true);
  });
});

describe('an outage', () => {
  it('fails the pack, and the same images are tried again together', async () => {
    const { clock, sender, processor } = visionProcessor(
      { batchSize: 3, retry: { random: () => 1 } },
      {
        fault: (_, number) => (number === 1 ? { error: apiError(500, 'server_error') } : undefined),
      },
    );
    const results = Promise.all([0, 1, 2].map((index) => processor.process({ imageUrl: address(index) })));
    await clock.advance(1_000);
    expect(await results).toEqual(isRight(3));
    expect(sizes(sender)).toEqual([3, 3]);
  });

  it('is not tried again when the caller retries itself, and the error is the one that was thrown', async () => {
    const error = new UpstreamError('DESCRIBE_OVERLOADED', 'busy', { retryable: true });
    const { sender, pack } = visionProcessor({ batchSize: 3, retry: false }, { fault: () => ({ error }) });
    expect(await pack(3)).toEqual([error, error, error]);
    expect(sizes(sender)).toEqual([3]);
  });

  it.each([
    [401, 'invalid_api_key', 'DESCRIBE_AUTH'],
    [429, 'insufficient_quota', 'DESCRIBE_QUOTA_EXHAUSTED'],
    [404, 'model_not_found', 'DESCRIBE_UPSTREAM'],
  ])('of status %i %s is final and keeps what is no secret of the original', async (status, code, expected) => {
    const error = apiError(status, code);
    const { sender, pack } = visionProcessor({ batchSize: 2, prompt: 'secret words' }, { fault: () => ({ error }) });
    const [first] = await pack(2);
    expect(first).toMatchObject({ code: expected, status, cause: { status, code } });
    expect(first).toMatchObject({ upstreamMessage: '[prompt] of the request' });
    expect(inspect(first)).not.toContain('secret words');
    expect(sizes(sender)).toEqual([2]);
  });

  it('waits as long as a 429 asks for', async () => {
    const { clock, sender, processor } = visionProcessor(
      { batchSize: 1, retry: { random: () => 0 } },
      {
        fault: (_, number) =>
          number === 1
            ? {
                error: apiError(429, 'rate_limit_exceeded', { headers: new Headers({ 'retry-after': '3' }) }),
              }
            : undefined,
      },
    );
    const result = processor.process({ imageUrl: address(0) });
    await clock.advance(2_999);
    expect(sender.calls).toHaveLength(1);
    await clock.advance(1);
    await result;
    expect(sender.calls).toHaveLength(2);
  });
});

describe('an image that is no longer wanted', () => {
  it('is not asked for again, and its request is aborted when it was the last', async () => {
    const controller = new AbortController();
    const fault: FakeFault = (_, number) => (number === 1 ? { items: (items) => items.slice(1) } : { hang: true });
    const { clock, sender, processor } = visionProcessor({ batchSize: 2 }, { fault });
    const gone = processor
      .process({ imageUrl: address(0) }, { signal: controller.signal })
      .catch((error: unknown) => error);
    const stays = processor.process({ imageUrl: address(1) });
    await stays;
    await clock.flush();
    expect(sender.calls).toHaveLength(2);
    const { signal } = sender.calls[1]?.context ?? {};
    controller.abort('enough');
    expect(await gone).toBe('enough');
    expect(signal?.reason).toBe('enough');
    await processor.close();
  });
});

describe('targets', () => {
  const completion = new FakeSender().complete('a cat', 1);
  const client = () => {
    const calls: object[] = [];
    const create = async (_: unknown, options: object) => {
      calls.push(options);
      return completion;
    };
    return { calls, client: { chat: { completions: { create } } } };
  };

  it('takes a client, whose own retries are turned off', async () => {
    const { calls, client: target } = client();
    const processor = new VisionDescriptionBatchProcessor(target, { batchSize: 1 });
    expect(await processor.process({ imageUrl: address(0) })).toMatchObject({ description: 'a cat' });
    expect(calls).toEqual([{ maxRetries: 0, signal: expect.any(AbortSignal) }]);
  });

  it('takes a lease', async () => {
    const processor = new VisionDescriptionBatchProcessor({ client: client().client }, { batchSize: 1 });
    expect(await processor.process({ imageUrl: address(0) })).toMatchObject({ description: 'a cat' });
  });

  it('takes a lease that can be handed over, and borrows from its pool for each call', async () => {
    const uses: string[] = [];
    const pool = {
      use: async <Result>(run: (lentClient: ReturnType<typeof client>['client']) => Promise<Result>) => {
        uses.push('borrowed');
        return run(client().client).finally(() => uses.push('given back'));
      },
    };
    const handOver = () => {
      uses.push('handed over');
      return pool;
    };
    const lease = { client: client().client, handOver };
    const processor = new VisionDescriptionBatchProcessor(lease, { batchSize: 1 });
    expect(uses).toEqual(['handed over']);
    expect(await processor.process({ imageUrl: address(0) })).toMatchObject({ description: 'a cat' });
    expect(uses).toEqual(['handed over', 'borrowed', 'given back']);
    const wrong = { batchSize: 0 };
    expect(() => new VisionDescriptionBatchProcessor(lease, wrong)).toThrow('batchSize');
    expect(uses.at(-1)).toBe('handed over');
  });

  it('takes a pool and gives the client back after each call', async () => {
    let lent = 0;
    const pool = {
      use: async <Result>(run: (lentClient: ReturnType<typeof client>['client']) => Promise<Result>) => {
        lent += 1;
        return run(client().client).finally(() => {
          lent -= 1;
        });
      },
    };
    const processor = new VisionDescriptionBatchProcessor(pool, { batchSize: 1 });
    expect(await processor.process({ imageUrl: address(0) })).toMatchObject({ description: 'a cat' });
    expect(lent).toBe(0);
  });

  it('refuses anything else', () => {
    expect(() => new VisionDescriptionBatchProcessor({} as FakeSender)).toThrow(/target: expected an OpenAI client/);
  });
});

describe('wrong requests and options', () => {
  it.each<[string, VisionRequest]>([
    ['imageUrl', {}],
    ['imageUrl', { imageUrl: address(0), image: PNG }],
    ['imageUrl', { imageUrl: 'file:///secret.png' }],
    ['prompt', { imageUrl: address(0), prompt: ' ' }],
    ['maxOutputTokens', { imageUrl: address(0), maxOutputTokens: 0 }],
    ['schema.name', { imageUrl: address(0), schema: { name: 'no spaces', jsonSchema: {} } }],
  ])('names the field %s', async (field, request) => {
    const { processor } = visionProcessor();
    await expect(processor.process(request)).rejects.toMatchObject({ code: 'DESCRIBE_INPUT_INVALID', field });
  });

  it('refuses bytes that are no image', async () => {
    const { processor } = visionProcessor();
    await expect(processor.process({ image: new Uint8Array(64) })).rejects.toMatchObject({
      code: 'DESCRIBE_IMAGE_UNSUPPORTED',
    });
  });

  it('lists every wrong option, and has none of those it sets itself', () => {
    const options = { batchSize: 0, groupBy: () => '', detial: 'low' } as VisionDescriptionBatchOptions;
    expect(() => new VisionDescriptionBatchProcessor(new FakeSender(), options)).toThrow(
      /groupBy: .*did you mean detail.*batchSize: /s,
    );
  });
});
