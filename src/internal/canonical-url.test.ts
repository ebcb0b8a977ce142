import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createImageIdentity, imageIdentity } from '../image/index.ts';
import { canonicalUrl } from './canonical-url.ts';

const identity = (url: string) => imageIdentity({ kind: 'url', url });

/** Twenty signatures of one object, by vendors' schemes and plain ones. */
const signedBy = (index: number): readonly string[] => [
  `https://b.s3.amazonaws.com/cat.jpg?versionId=3&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=k${index}%2F20261122&X-Amz-Date=2026${index}&X-Amz-Expires=900&X-Amz-Security-Token=t${index}&X-Amz-SignedHeaders=host&X-Amz-Signature=s${index}&x-id=GetObject`,
  `https://b.s3.amazonaws.com/old.jpg?AWSAccessKeyId=k${index}&Signature=s${index}&Expires=${index}`,
  `https://storage.googleapis.com/b/cat.jpg?X-Goog-Algorithm=a&X-Goog-Credential=c${index}&X-Goog-Date=d${index}&X-Goog-Expires=9&X-Goog-SignedHeaders=host&X-Goog-Signature=s${index}`,
  `https://storage.googleapis.com/b/v2.jpg?GoogleAccessId=a${index}&Expires=${index}&Signature=s${index}`,
  `https://a.blob.core.windows.net/c/cat.jpg?sv=2024-01-01&st=a${index}&se=b${index}&sr=b&sp=r&sig=s${index}`,
  `https://d1.cloudfront.net/cat?Policy=p${index}&Signature=s${index}&Key-Pair-Id=k${index}`,
  `https://cdn.example.com/cat.jpg?token=t${index}&expires=${index}`,
  `https://cdn.example.com/alone.png?token=t${index}`,
  `https://cdn.example.com/linked?id=3&md5=t${index}&expires=${index}`,
  `https://cdn.discordapp.com/attachments/1/2/cat?ex=${index}&is=${index}&hm=${index}`,
  `https://firebasestorage.googleapis.com/v0/b/x/o/cat?alt=media&token=${index}`,
];

describe('canonicalUrl', () => {
  it('is one text for twenty signatures of one object, under every scheme', () => {
    for (const scheme of signedBy(0).keys()) {
      const urls = Array.from({ length: 20 }, (_, index) => signedBy(index)[scheme] ?? '');
      expect(new Set(urls).size).toBe(20);
      expect(new Set(urls.map((url) => canonicalUrl(url))).size, urls[0]).toBe(1);
      expect(canonicalUrl(urls[0] ?? '')).not.toMatch(/sig|token|expires|credential/i);
    }
  });

  it('keeps what tells two images apart', () => {
    expect(canonicalUrl('https://b.s3.amazonaws.com/cat.jpg?versionId=3&X-Amz-Signature=s')).toContain('versionId=3');
    const different = [
      ['https://example.com/render?token=a', 'https://example.com/render?token=b'],
      ['https://example.com/cat.jpg?sp=1', 'https://example.com/cat.jpg?sp=2'],
      ['https://example.com/cat?sig=x&st=light', 'https://example.com/cat?sig=x&si=dark'],
      ['https://example.com/cat.jpg?hash=abc', 'https://example.com/cat.jpg?hash=def'],
      ['https://example.com/cat.jpg?ts=1', 'https://example.com/cat.jpg?ts=2'],
      ['https://example.com/cat.jpg?v=1', 'https://example.com/cat.jpg?v=2'],
      ['https://example.com/cat.jpg', 'https://example.com/Cat.jpg'],
      ['https://example.com/cat.jpg?is=1', 'https://example.com/cat.jpg?is=2'],
      ['http://example.com/cat.jpg', 'https://example.com/cat.jpg'],
      // Different spellings: a server may read Latin-1, tell a plus from a space, or an absent value from an empty one.
      ['https://example.com/i?f=%E4.jpg', 'https://example.com/i?f=%F6.jpg'],
      ['https://example.com/i?f=%C4%E3', 'https://example.com/i?f=%CE%D2'],
      ['https://example.com/i?f=a+b.jpg', 'https://example.com/i?f=a%20b.jpg'],
      ['https://example.com/i?f', 'https://example.com/i?f='],
      ['https://example.com/i?a=1', 'https://example.com/i??a=1'],
      ['https://example.com/i?a=1&a=2', 'https://example.com/i?a=2&a=1'],
      // The tokens of two people.
      ['https://example.com/me.png?access_token=a', 'https://example.com/me.png?access_token=b'],
      ['https://example.com/me.png?auth=a', 'https://example.com/me.png?auth=b'],
      ['https://example.com/me.png?jwt=a&exp=1', 'https://example.com/me.png?jwt=b&exp=1'],
      // No other part would name the image.
      ['https://example.com/get?hash=a&expires=1', 'https://example.com/get?hash=b&expires=1'],
      ['https://example.com/i?token=a&exp=1', 'https://example.com/i?token=b&exp=1'],
      // The time of a picture is no expiry.
      ['https://example.com/i?id=1&token=k&ts=1', 'https://example.com/i?id=1&token=k&ts=2'],
      ['https://example.com/shot.jpg?token=k&timestamp=1', 'https://example.com/shot.jpg?token=k&timestamp=2'],
      // Not Azure without a dated version and an expiry; not imgix without an image file.
      ['https://example.com/i?sig=x&sv=1&sr=cat', 'https://example.com/i?sig=x&sv=1&sr=dog'],
      [
        'https://example.com/thumb?s=0cc175b9c0f1b6a831c399e269772661',
        'https://example.com/thumb?s=92eb5ffee6ae2fec3ad71c777531578f',
      ],
    ];
    for (const [left = '', right = ''] of different) expect(identity(left), left).not.toBe(identity(right));
  });

  it('sees past fragments, order, default ports and the case of hosts', () => {
    const one = identity('https://example.com/cat.jpg?a=1&b=2');
    expect(identity('https://EXAMPLE.com:443/cat.jpg?b=2&a=1#top')).toBe(one);
  });

  it('is its own canonical form, and the same for any order of parameters', () => {
    const names = fc.constantFrom(
      'a',
      'sig',
      'se',
      'token',
      'Expires',
      'Signature',
      'X-Amz-Signature',
      'x-amz-date',
      'GoogleAccessId',
      'ttl',
      'é',
    );
    const pair = fc.tuple(names, fc.string({ maxLength: 5 }));
    const path = fc.constantFrom('/cat.jpg', '/render', '/');
    const distinct = fc.uniqueArray(pair, { selector: ([name]) => name, maxLength: 8 });
    fc.assert(
      fc.property(path, distinct, (pathname, pairs) => {
        const url = (list: typeof pairs) =>
          `https://example.com${pathname}?${new URLSearchParams(list as [string, string][])}`;
        const canonical = canonicalUrl(url(pairs));
        expect(canonicalUrl(canonical)).toBe(canonical);
        expect(canonicalUrl(url(pairs.toReversed()))).toBe(canonical);
      }),
      { seed: 20_261_122, numRuns: 500 },
    );
  });

  it('keeps what it keeps as it is written', () => {
    expect(canonicalUrl('https://example.com/i?b=%E4+%20&a&token=k&&expires=1#x')).toBe(
      'https://example.com/i?a&b=%E4+%20',
    );
    expect(canonicalUrl('https://example.com/cat.jpg?%73ig=1')).toBe('https://example.com/cat.jpg');
    expect(canonicalUrl('https://example.com/cat.jpg?s=0cc175b9c0f1b6a831c399e269772661')).toBe(
      'https://example.com/cat.jpg',
    );
  });

  it('looks at each name to ignore once, however many parameters a URL has', () => {
    const names = Array.from({ length: 3_000 }, (_, index) => index.toString(36));
    const url = `https://example.com/cat.jpg?expires=1&token=2&${names.join('&')}`;
    let reads = 0;
    const counted = new Proxy(names, {
      get: (target, name, receiver) => {
        reads += 1;
        return Reflect.get(target, name, receiver) as unknown;
      },
    });
    expect(canonicalUrl(url, { ignoreParameters: counted })).toBe('https://example.com/cat.jpg');
    expect(reads).toBeLessThan(3 * names.length);
  });

  it('ignores parameters on request', () => {
    const identify = createImageIdentity({ ignoreParameters: ['utm_source'] });
    const plain = identify({ kind: 'url', url: 'https://example.com/cat.jpg' });
    expect(identify({ kind: 'url', url: 'https://example.com/cat.jpg?utm_source=mail' })).toBe(plain);
  });

  it('shows nothing of the address in an identity', () => {
    expect(identity('https://example.com/cat.jpg')).toMatch(/^url:[0-9a-f]{64}$/);
    expect(imageIdentity({ kind: 'bytes', sha256: 'ab' })).toBe('sha256:ab');
  });
});
