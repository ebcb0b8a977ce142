import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wallClockNow } from '../../internal/clock.ts';
import { carriesId, decodeEntry, decodeJson, freshUntilMs, readHead } from './decode-entry.ts';
import { type EncodingOptions, encodeEntry, isTooLarge, jsonCodec } from './encode-entry.ts';

const options = { codec: jsonCodec, compressAboveBytes: 200, maxValueBytes: 100_000 };
const content = { tags: { '': 'v0', 'a tag {"}\n': 'v1' }, ttlMs: 1_000.4, graceMs: 500, costMs: 12.3 };
const encode = async (value: unknown, given = options) => encodeEntry({ ...content, value }, given, 50);

/** Decodes as for a reply of Redis, at 50 by the clock of this process. */
function decode(text: string, given: EncodingOptions = options, wallMs = wallClockNow()) {
  const head = isTooLarge(text, given) ? undefined : readHead(text);
  return head && decodeEntry(text, head, freshUntilMs(head, 50 - wallMs), given);
}

describe('an encoded entry', () => {
  it('gives back every JSON value, frozen, with its tags and times, compressed or not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 4 }), async (value) => {
        const { text, entry } = await encode(value);
        const decoded = await decode(text);
        const plain: unknown = JSON.parse(JSON.stringify(value));
        expect(decoded?.value).toEqual(plain);
        expect(entry.value).toEqual(plain);
        expect(Object.isFrozen(decoded?.value)).toBe(true);
        expect(decoded).toMatchObject({ id: entry.id, tags: content.tags, costMs: 12 });
        expect((decoded?.staleUntilMs ?? 0) - (decoded?.freshUntilMs ?? 0)).toBe(500);
        expect(Math.abs((decoded?.freshUntilMs ?? 0) - entry.freshUntilMs)).toBeLessThan(1_000);
        expect([carriesId(text, entry.id), carriesId(text, entry.id.slice(0, -1))]).toEqual([true, false]);
        expect(readHead(text)?.tags).toEqual(content.tags);
        const head = readHead(text);
        const alone = head?.kind === 'json' ? decodeJson(text, head) : decoded?.value;
        expect(alone).toEqual(plain);
        expect(Object.isFrozen(alone)).toBe(true);
      }),
      { seed: 1, numRuns: 150 },
    );
  });

  it('reads any other text as no entry, without throwing', async () => {
    const { text } = await encode({ some: 'value' });
    const damaged = fc.tuple(fc.nat({ max: text.length }), fc.string({ maxLength: 4 }), fc.nat({ max: 5 }));
    const texts = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      damaged.map(([at, inserted, removed]) => text.slice(0, at) + inserted + text.slice(at + removed)),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (given) => {
        const decoded = await decode(given);
        expect(decoded === undefined || typeof decoded.id === 'string').toBe(true);
        readHead(given);
      }),
      { seed: 2, numRuns: 2_000 },
    );
  });

  it('counts what it takes in memory, and not what it takes compressed', async () => {
    const { text, entry } = await encode('x'.repeat(50_000));
    expect(text.length).toBeLessThan(1_000);
    expect(entry.bytes).toBeGreaterThan(100_000);
    expect((await decode(text))?.bytes).toBe(entry.bytes);
  });

  it.each([
    ['deeper than can be frozen', `${'['.repeat(40_000)}${']'.repeat(40_000)}`],
    ['longer than may be', JSON.stringify('x'.repeat(200_000))],
    ['not JSON', '{'],
  ])('takes compressed payloads that are %s for none', async (_, payload) => {
    const { text } = await encode('x'.repeat(50_000));
    const packed = deflateRawSync(payload).toString('base64');
    expect(await decode(`${text.slice(0, text.indexOf('\n') + 1)}${packed}`)).toBeUndefined();
  });

  it('reads entries made together, whatever was read between them', async () => {
    const { text, entry } = await encode({ some: 'value' });
    const line = text.slice(entry.id.length, text.indexOf('\n') + 1);
    const damaged = [
      'x 1 2 bad',
      'x 1 2 3 4 text bad',
      'x 1 2 3 4 json [1]\n1',
      'x 1 2 3 4 json {"a":\n1',
      'a\n b',
      '\n ',
    ];
    for (const between of damaged) {
      await decode(`twin${line}1`, options, 0);
      const first = await decode(`first${line}1`, options, 0);
      expect(await decode(between, options, 0)).toBeUndefined();
      expect(await decode(`second${line}2`, options, 0)).toEqual({
        ...first,
        id: 'second',
        value: 2,
        bytes: expect.any(Number),
      });
    }
    expect(await decode('a\n b', options, 0)).toBeUndefined();
  });

  it('holds no more of a text than its id, whatever its length', async () => {
    const ids = await Promise.all(Array.from({ length: 2_000 }, async (_, n) => (await encode(n)).entry.id.length));
    expect(Math.max(...ids)).toBeLessThan(13);
  });

  it('counts bytes and not characters, for what is read is cut by bytes', async () => {
    const small = { ...options, compressAboveBytes: 5_000, maxValueBytes: 1_024 };
    await expect(encode('猫'.repeat(500), small)).rejects.toThrow('`maxValueBytes` (1024)');
    await expect(encode('a'.repeat(500), small)).resolves.toBeDefined();
  });

  it('is not made of what would not come out of its compressed form again', async () => {
    await expect(encode('猫'.repeat(33_334))).rejects.toThrow('`maxValueBytes` (100000)');
    const { text } = await encode('猫'.repeat(33_332));
    expect((await decode(text))?.value).toHaveLength(33_332);
  });

  it('of a text that was cut by bytes is none, whatever the codec makes of a part', async () => {
    const codec = { encode: String, decode: String };
    const plain = { codec, compressAboveBytes: 10_000, maxValueBytes: 10_000 };
    for (const before of ['', 'a', 'ab']) {
      const { text } = await encode(`${before}${'猫'.repeat(1_000)}`, plain);
      const small = { ...plain, maxValueBytes: 1_000 };
      const cut = Buffer.from(text)
        .subarray(0, small.maxValueBytes + 1)
        .toString();
      expect(cut.length).toBeLessThan(small.maxValueBytes);
      expect(decode(cut, small)).toBeUndefined();
    }
  });

  it('refuses what is larger than maxValueBytes, either way', async () => {
    const small = { ...options, maxValueBytes: 1_000 };
    await expect(encode('x'.repeat(1_000), small)).rejects.toThrow('`maxValueBytes` (1000)');
    const { text } = await encode('x'.repeat(90_000));
    expect(text.length).toBeLessThan(1_000);
    expect(await decode(text, small)).toBeUndefined();
    expect((await decode(text))?.value).toHaveLength(90_000);
  });

  it('never gives two writes one id', async () => {
    const ids = await Promise.all(Array.from({ length: 100 }, async (_, n) => (await encode(n)).entry.id));
    expect(new Set(ids).size).toBe(100);
  });
});
