import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestSecrets } from './sent-request.ts';
import { cutServerText, MAX_REASON_LENGTH, serverReason } from './server-reason.ts';

const said = (text: unknown, secrets: RequestSecrets = {}) => serverReason(text, secrets);

const PROMPT = 'Whose passport lies beside the blue teapot?';
const ADDRESS = 'https://cdn.shop.example/private/Ünit 7/a.png?sig=Zm9v';

describe('serverReason', () => {
  it.each([
    'model "llava" not found, try pulling it first',
    "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens",
    'The model `Qwen/Qwen2-VL-7B-Instruct` does not exist.',
    '1 validation error: body -> store: extra fields not permitted (type=value_error.extra)',
    'See https://platform.openai.com/docs/guides/rate-limits/error-codes for more.',
    "unsupported parameter 'max_completion_tokens' for Qwen2VLForConditionalGeneration",
    'at most 1 <image> placeholder is allowed; got 2',
    'Ungültiges Bild: die Breite muß größer als 28 sein',
    'you have no API key with this permission',
  ])('keeps %s', (text) => {
    expect(said(text, { keys: ['sk-proj-1234567890abcdef'], texts: [PROMPT], addresses: [ADDRESS] })).toBe(text);
  });

  it('keeps nothing of what is no text', () => {
    for (const text of [undefined, null, 7, {}, [], '', ' \n\t', '…?!']) expect(said(text)).toBeUndefined();
  });

  it('is one line without control characters, and of whole characters', () => {
    expect(said('a\r\nb\u001b[31mc\u202Ed\u0000e\\nf')).toBe('a b [31mc d e f');
    expect(said(`${'x '.repeat(249)}x😀yyyy`)).toBe(`${'x '.repeat(249)}x…`);
  });

  it('gives the text of a page', () => {
    const page = '<!DOCTYPE html>\n<html><head><style>p{}</style><title>403 Forbidden</title></head><p>Blocked by WAF';
    expect(said(page)).toBe('403 Forbidden Blocked by WAF');
  });

  it.each([
    ['Incorrect API key provided: sk-ab***yz. See the docs', 'Incorrect API key provided: [key] See the docs'],
    ['Incorrect API key provided: sk-proj-abcdefgh', 'Incorrect API key provided: [key]'],
    ['key AIza…f3x9 is wrong', 'key [key] is wrong'],
    ['key AIza...f3x9 is wrong', 'key [key] is wrong'],
    ['Authorization: Bearer abc.123.def was refused', 'Authorization: Bearer [key] was refused'],
    ["{'api-key': 'hunter22hunter'}", "{'api-key': '[key]'}"],
    ['no 0123456789abcdef0123456789abcdef here', 'no [data] here'],
    ['image data:image/png;base64,iVBORw0KGgoAAAA= is bad', 'image [image] is bad'],
    ["b'iVBORw0KGgoAAAA' is bad", "b'[data]' is bad"],
    ['can not reach https://me:pw@host.example/x?token=1', 'can not reach https://host.example/x?…'],
  ])('cleans %s', (text, cleaned) => {
    expect(said(text)).toBe(cleaned);
  });

  it.each([
    PROMPT,
    PROMPT.toUpperCase(),
    JSON.stringify(PROMPT),
    'Whose passport lies be',
    'passport  lies\nbeside the',
    encodeURIComponent(PROMPT),
    'beside-the-blue-teapot',
  ])('hides the prompt quoted as %s', (quoted) => {
    expect(said(`can't read: ${quoted} (400)`, { texts: [PROMPT] })).toMatch(/^can't read: "?\[prompt\][?"]* \(400\)$/);
  });

  it.each([
    ADDRESS,
    new URL(ADDRESS).href,
    JSON.stringify({ url: ADDRESS }),
    encodeURIComponent(ADDRESS),
    'cdn.shop.example/private',
    'https://cdn.shop.example/private/%C3%9Cnit%207/…',
  ])('hides the address quoted as %s', (quoted) => {
    const reason = said(`can't load ${quoted} (400)`, { addresses: [ADDRESS] });
    expect(reason).not.toMatch(/shop|private|a\.png|Zm9v/);
    expect(reason).toContain('[image]');
  });

  it('hides a short prompt, and each short line of a long one, as whole words', () => {
    expect(said('bad cat in catalog', { texts: ['Cat?'] })).toBe('bad [prompt] in catalog');
    expect(said('bad cat', { texts: ['Cat?\n\nDo so for each image alone, as if it were the only one.'] })).toBe(
      'bad [prompt]',
    );
    expect(said('不好：这是什么呢', { texts: ['这是什么'] })).toBe('不好:[prompt]呢');
  });

  it('hides a key whole or in part, also one that looks like words', () => {
    const keys = ['correct-horse-battery'];
    expect(said('who is correct-horse-battery?', { keys })).toBe('who is [key]');
    expect(said('who is correct-horse', { keys })).toBe('who is [key]');
  });

  it('says nothing next to a prompt that is too long to be looked for', () => {
    const prompt = 'lorem ipsum dolor '.repeat(3600);
    expect(said('no: the rake', { texts: [`${prompt} the gardener did it with the rake`] })).toBe('no: the rake');
    expect(said('no: it with the rake', { texts: [`${prompt} the gardener did it with the rake`] })).toBe(
      'no: [prompt]',
    );
    expect(said('no: the rake', { texts: [prompt + prompt] })).toBeUndefined();
  });
});

const word = fc.string({ unit: fc.constantFrom(...'abcdefghijklmnop '), minLength: 1, maxLength: 40 });
const around = fc.tuple(word, word);
const key = fc.string({ unit: fc.constantFrom(...'ABCDEFabcdef0123456789-_'), minLength: 20, maxLength: 60 });
const bytes = fc.uint8Array({ minLength: 60, maxLength: 3000 });
const prompt = fc.string({ unit: 'binary', minLength: 12, maxLength: 300 });
const quoting = fc.constantFrom<(text: string) => string>(
  (text) => text,
  (text) => JSON.stringify(text),
  (text) => encodeURIComponent(text.replace(/\p{Cs}/gu, '')),
  (text) => `<${text}>`,
);
const lettersOf = (text: string) =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');

describe('whatever a server says', () => {
  it('shows no key, prompt, address or image that was planted in it, and stays short', () => {
    fc.assert(
      fc.property(
        around,
        key,
        prompt,
        bytes,
        quoting,
        fc.nat(5000),
        ([before, after], ownKey, ownPrompt, image, quote, pad) => {
          const base64 = Buffer.from(image).toString('base64');
          const ownAddress = `https://img.example/${Buffer.from(image.subarray(0, 20)).toString('hex')}.png`;
          const planted = [ownKey, ownPrompt, ownAddress, `data:image/png;base64,${base64}`, base64].map(quote);
          const text = [before, 'x '.repeat(pad), ...planted, after].join(' ');
          const reason = said(text, { keys: [ownKey], texts: [ownPrompt], addresses: [ownAddress] }) ?? '';
          expect(reason.length).toBeLessThanOrEqual(MAX_REASON_LENGTH);
          expect(reason).not.toMatch(/\p{Cs}/u);
          expect(reason).not.toMatch(/\p{C}/u);
          const shown = lettersOf(reason);
          for (const secret of [ownKey, ownPrompt, ownAddress.slice(8), base64]) {
            const letters = lettersOf(secret);
            if (letters.length < 12) continue;
            for (let at = 0; at + 12 <= letters.length; at += 1) {
              expect(shown).not.toContain(letters.slice(at, at + 12));
            }
          }
        },
      ),
      { seed: 13, numRuns: 300 },
    );
  });

  it('looks at no more than its beginning', () => {
    expect(said('a reason '.repeat(100_000))).toBe(said('a reason '.repeat(1000)));
    expect(cutServerText('x'.repeat(1_000_000))).toHaveLength(4096);
  });
});
