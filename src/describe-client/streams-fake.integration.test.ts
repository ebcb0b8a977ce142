import { describe, expect, it } from 'vitest';
import type { FaultRule } from '../testing/index.ts';
import { codeOf, image, useFakeApi } from './fake-api.fixture.ts';

const { server, start } = useFakeApi();

async function read(stream: AsyncIterable<string>): Promise<{ readonly text: string; readonly code: unknown }> {
  let text = '';
  const code = await codeOf(
    (async () => {
      for await (const delta of stream) text += delta;
    })(),
  );
  return { text, code };
}

const quirk = (more: object): FaultRule => ({ fault: { kind: 'quirk', ...more } }) as FaultRule;

describe.each(['chat', 'responses'] as const)('a stream of the fake API, by %s', (api) => {
  it.each<[string, FaultRule[]]>([
    ['as the API writes it', []],
    ['with comments and CRLF', [quirk({ keepAlive: true, lineEnd: 'crlf' })]],
    ['byte by byte', [quirk({ writes: 1 })]],
    ['in one write', [quirk({ writes: 'joined' })]],
    ['without its last mark', [quirk({ done: false })]],
    ['with unknown events', [quirk({ unknown: true })]],
  ])('%s is the text of describe', async (_how, faults) => {
    const client = start({ api, cache: false });
    const { description } = await client.describe({ image });
    server().setFaults(faults);
    const stream = client.stream({ image });
    expect(await read(stream)).toEqual({ text: description, code: 'fulfilled' });
    const { description: streamed, usage, costUsd } = await stream.result;
    expect(streamed).toBe(description);
    expect(usage?.promptTokens).toBeGreaterThan(0);
    expect(costUsd).toBeGreaterThan(0);
  });

  it('has the data of a schema', async () => {
    const client = start({ api, cache: false });
    const jsonSchema = {
      type: 'object',
      properties: { description: { type: 'string' } },
      required: ['description'],
      additionalProperties: false,
    };
    const stream = client.stream({ image, schema: { name: 's', jsonSchema } });
    const { text } = await read(stream);
    const { data, description } = await stream.result;
    expect(text).toBe(description);
    expect(JSON.parse(text)).toEqual(data);
  });

  it('that ends midway fails, once', async () => {
    const client = start({ api, cache: false });
    server().setFaults([{ fault: { kind: 'stream-error' } } as FaultRule]);
    const broken = await read(client.stream({ image }));
    expect(broken.text).not.toBe('');
    expect(broken.code).toMatch(/^DESCRIBE_/);
    server().setFaults([{ fault: { kind: 'truncate' } } as FaultRule]);
    expect((await read(client.stream({ image }))).code).toMatch(/^DESCRIBE_(UPSTREAM|RESPONSE_INVALID)$/);
    expect(client.stats().retry.retries).toBe(0);
  });
});
