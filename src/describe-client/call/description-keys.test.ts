import { describe, expect, it } from 'vitest';
import { countSlices } from '../../internal/count-slices.fixture.ts';
import type { EndpointOptions } from '../options/endpoint-options.ts';
import { DescriptionKeys, type KeyedRequest } from './description-keys.ts';

const request = { scope: '', model: 'm', prompt: 'p', detail: 'low', schema: undefined } as const;
const keyOf = (endpoints: readonly EndpointOptions[], changes: Partial<KeyedRequest> = {}, identity = 'i') => {
  const keys = new DescriptionKeys(endpoints);
  const asked = { ...request, ...changes };
  return keys.keyAtOnce(identity, asked) ?? keys.keyOf(identity, asked);
};

const apiKey = 'k';
const here = 'https://here.example/v1';
const there = 'https://there.example/v1';

describe('a cache key', () => {
  it('differs by all that decides what a description says, and who may have it', () => {
    const schema = { name: 's', jsonSchema: { type: 'object' } };
    const changed: Partial<KeyedRequest>[] = [
      {},
      { scope: 'tenant' },
      { model: 'other' },
      { prompt: 'other' },
      { detail: 'high' },
      { schema },
      { schema: { ...schema, name: 't' } },
      { schema: { ...schema, jsonSchema: {} } },
    ];
    const keys = changed.map((changes) => keyOf([{ apiKey }], changes));
    expect(new Set([...keys, keyOf([{ apiKey }], {}, 'other')]).size).toBe(changed.length + 1);
  });

  it('holds the server that is asked, however its address is written, and not the key of the API', () => {
    expect(keyOf([{ apiKey, baseURL: here }])).not.toBe(keyOf([{ apiKey, baseURL: there }]));
    const spellings = [undefined, 'https://api.openai.com/v1', 'https://API.openai.com:443/v1//'];
    const keys = spellings.map((baseURL, index) => keyOf([{ apiKey: `k${index}`, baseURL }]));
    expect(new Set(keys).size).toBe(1);
  });

  it('holds the model that is really asked, whether the request or the endpoint names it', () => {
    expect(keyOf([{ apiKey, model: 'llava' }])).not.toBe(keyOf([{ apiKey }]));
    expect(keyOf([{ apiKey, model: 'llava' }])).toBe(keyOf([{ apiKey }], { model: 'llava' }));
    expect(keyOf([{ apiKey, model: 'llava' }], { model: 'other' })).toBe(keyOf([{ apiKey, model: 'llava' }]));
  });

  it('holds all servers that may answer, in any order and each once', () => {
    const [a, b] = [
      { apiKey, baseURL: here },
      { apiKey, baseURL: there, model: 'deployment' },
    ];
    expect(keyOf([a, b])).toBe(keyOf([b, { ...a, apiKey: 'second' }, { ...a, weight: 2 }]));
    expect(new Set([keyOf([a, b]), keyOf([a]), keyOf([b])]).size).toBe(3);
    // Only one of them uses the model of the request.
    expect(keyOf([a, b], { model: 'other' })).not.toBe(keyOf([a, b]));
  });

  it('of long texts holds each of them whole, and is made in slices of time', async () => {
    const long = 'a'.repeat(1_000_000);
    const changed: Partial<KeyedRequest>[] = [
      { prompt: long },
      { prompt: `${long}b` },
      { system: long },
      { prompt: long, system: 's' },
      { prompt: long, system: long },
      { prompt: long, detail: 'high' },
      { prompt: long, model: 'other' },
    ];
    const keys = await Promise.all(changed.map((changes) => keyOf([{ apiKey }], changes)));
    expect(new Set(keys).size).toBe(changed.length);
    expect(await keyOf([{ apiKey }], { prompt: `${long}` })).toBe(keys[0]);
    const { still, pieces } = await countSlices(async () => keyOf([{ apiKey }], { prompt: long }));
    expect(still).toBe(1);
    expect(pieces).toBeGreaterThanOrEqual(30);
  });
});
