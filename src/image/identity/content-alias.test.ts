import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ImageError } from '../../errors/index.ts';
import { Deferred } from '../../internal/async/deferred.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { imageIdentity } from '../index.ts';
import type { DownloadedImage, ImageLoader } from '../reading/image-loader.ts';
import { ContentAliases } from './content-alias.ts';

const URL_A = 'https://a.example/cat.jpg';
const URL_B = 'https://b.example/dog.png';

const imageOf = (content: string): DownloadedImage => ({
  kind: 'bytes',
  bytes: Buffer.from(content),
  format: 'png',
  mediaType: 'image/png',
  width: 1,
  height: 1,
  orientation: 1,
  animated: false,
  sha256: createHash('sha256').update(content).digest('hex'),
  etag: `"${content}"`,
});

/** A set of URLs that answers by ETag, as loaders do, and logs its requests. */
function web(pages: Record<string, string>) {
  const log: string[] = [];
  const loader: Pick<ImageLoader, 'fetch'> = {
    fetch: async (url, { etag } = {}) => {
      const image = imageOf(pages[String(url)] ?? 'missing');
      log.push(etag === undefined ? 'whole' : image.etag === etag ? 'unchanged' : 'changed');
      return image.etag === etag ? undefined : image;
    },
  };
  return { log, loader };
}

describe('ContentAliases', () => {
  it('gives one identity to one image under two URLs, and one to each signed URL of it', async () => {
    const { loader, log } = web({ [URL_A]: 'cat', [URL_B]: 'cat' });
    const aliases = new ContentAliases(loader, { clock: new ManualClock() });
    expect(imageIdentity(await aliases.resolve(URL_A))).toBe(imageIdentity(await aliases.resolve(URL_B)));
    for (let index = 0; index < 20; index += 1) {
      const signed = `${URL_A}?X-Amz-Signature=${index}&X-Amz-Date=${index}`;
      expect(imageIdentity(await aliases.resolve(signed))).toBe(imageIdentity(imageOf('cat')));
    }
    expect(log).toEqual(['whole', 'whole']);
  });

  it('lets another signature be tried where the one that was shared fails, and shares that', async () => {
    const asked: string[] = [];
    const loader: Pick<ImageLoader, 'fetch'> = {
      fetch: async (url) => {
        asked.push(new URL(url).search);
        if (String(url).includes('=bad')) throw new ImageError('DESCRIBE_IMAGE_FETCH_FAILED', 'status 403');
        return imageOf('cat');
      },
    };
    const aliases = new ContentAliases(loader, { clock: new ManualClock() });
    const signed = (signature: string) => `${URL_A}?X-Amz-Signature=${signature}`;
    for (const method of ['resolve', 'download'] as const) {
      aliases.forget();
      asked.length = 0;
      const all = ['bad', 'bad', 'good', 'good'].map((name) => aliases[method](signed(name)));
      expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual([
        'rejected',
        'rejected',
        'fulfilled',
        'fulfilled',
      ]);
      expect(asked).toEqual(['?X-Amz-Signature=bad', '?X-Amz-Signature=good']);
    }
  });

  it('tells one scope nothing of what another has learned, and lets it show that it can download', async () => {
    const { loader, log } = web({ [URL_A]: 'cat' });
    const aliases = new ContentAliases(loader, { clock: new ManualClock() });
    const [owner, other] = [{ scope: 'owner' }, { scope: 'other' }];
    await aliases.resolve(URL_A, owner);
    expect([aliases.isFresh(URL_A, owner), aliases.isFresh(URL_A, other), aliases.isFresh(URL_A)]).toEqual([
      true,
      false,
      false,
    ]);
    await Promise.all([aliases.resolve(URL_A, other), aliases.resolve(URL_A), aliases.download(URL_A, other)]);
    expect(log).toEqual(['whole', 'whole', 'whole', 'whole']);
    aliases.forget(URL_A, owner);
    expect([aliases.isFresh(URL_A, owner), aliases.isFresh(URL_A, other)]).toEqual([false, true]);
  });

  it('sees changed bytes under one URL within aliasTtlMs, and asks by ETag', async () => {
    const pages: Record<string, string> = { [URL_A]: 'cat' };
    const { loader, log } = web(pages);
    const clock = new ManualClock();
    const aliases = new ContentAliases(loader, { clock, aliasTtlMs: 1_000 });
    expect(await aliases.resolve(URL_A)).toMatchObject({
      sha256: imageOf('cat').sha256,
      image: { format: 'png' },
    });
    expect([aliases.isFresh(URL_A), aliases.isFresh(`${URL_A}?X-Amz-Signature=1`)]).toEqual([true, true]);
    expect(aliases.isFresh(URL_B)).toBe(false);
    await clock.advance(1_000);
    expect(aliases.isFresh(URL_A)).toBe(false);
    expect(await aliases.resolve(URL_A)).toEqual({ kind: 'bytes', sha256: imageOf('cat').sha256 });
    pages[URL_A] = 'dog';
    await clock.advance(999);
    expect(await aliases.resolve(URL_A)).toMatchObject({ sha256: imageOf('cat').sha256 });
    await clock.advance(1);
    expect(await aliases.resolve(URL_A)).toMatchObject({ sha256: imageOf('dog').sha256, image: expect.any(Object) });
    expect(log).toEqual(['whole', 'unchanged', 'changed']);
  });

  it('counts aliasTtlMs from when it asked, however long the answer took', async () => {
    const clock = new ManualClock();
    const contents = ['cat', 'dog'];
    const aliases = new ContentAliases(
      {
        // The host reads the image at once, but sends it slowly.
        fetch: async () => {
          const image = imageOf(contents.shift() ?? 'none');
          await clock.advance(700);
          return image;
        },
      },
      { clock, aliasTtlMs: 1_000 },
    );
    expect(await aliases.resolve(URL_A)).toMatchObject({ sha256: imageOf('cat').sha256 });
    await clock.advance(300);
    expect(await aliases.resolve(URL_A)).toMatchObject({ sha256: imageOf('dog').sha256 });
  });

  it('hands out the bytes themselves, and remembers what they were', async () => {
    const pages: Record<string, string> = { [URL_A]: 'cat' };
    const { loader, log } = web(pages);
    const aliases = new ContentAliases(loader, { clock: new ManualClock() });
    await aliases.resolve(URL_A);
    pages[URL_A] = 'dog';
    const images = await Promise.all([aliases.download(URL_A), aliases.download(`${URL_A}#top`)]);
    expect(images.map(({ sha256 }) => sha256)).toEqual([imageOf('dog').sha256, imageOf('dog').sha256]);
    expect(await aliases.resolve(URL_A)).toEqual({ kind: 'bytes', sha256: imageOf('dog').sha256 });
    expect(log).toEqual(['whole', 'whole']);
  });

  it('shares one download among calls, whoever of them leaves', async () => {
    const gate = new Deferred<DownloadedImage>();
    let calls = 0;
    let aborted = false;
    const aliases = new ContentAliases({
      fetch: (_url, { signal } = {}) => {
        calls += 1;
        signal?.addEventListener('abort', () => {
          aborted = true;
        });
        return gate.promise;
      },
    });
    const leaver = new AbortController();
    const left = aliases.resolve(URL_A, { signal: leaver.signal });
    const stays = aliases.resolve(URL_A);
    const reason = new Error('caller left');
    leaver.abort(reason);
    await expect(left).rejects.toBe(reason);
    gate.resolve(imageOf('cat'));
    expect(await stays).toMatchObject({ sha256: imageOf('cat').sha256 });
    expect([calls, aborted]).toEqual([1, false]);
  });

  it('ends a download that nobody waits for, and starts a new one for the next', async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const aliases = new ContentAliases({
      fetch: (_url, { signal } = {}) => {
        signals.push(signal);
        return signals.length === 1 ? new Promise(() => {}) : Promise.resolve(imageOf('cat'));
      },
    });
    const leaver = new AbortController();
    const left = aliases.resolve(URL_A, { signal: leaver.signal });
    leaver.abort(new Error('caller left'));
    await expect(left).rejects.toThrow('caller left');
    expect(signals[0]?.aborted).toBe(true);
    expect(await aliases.resolve(URL_A)).toMatchObject({ sha256: imageOf('cat').sha256 });
  });

  it('remembers no ETag of a URL that would take too much memory', async () => {
    const asked: (string | undefined)[] = [];
    const loader: Pick<ImageLoader, 'fetch'> = {
      fetch: async (url, { etag } = {}) => {
        asked.push(etag);
        return { ...imageOf('cat'), etagUrl: String(url) };
      },
    };
    const aliases = new ContentAliases(loader, { clock: new ManualClock(), aliasTtlMs: 0 });
    for (const url of [URL_A, `${URL_A}?${'x'.repeat(3_000)}`]) {
      await aliases.resolve(url);
      await aliases.resolve(url);
    }
    expect(asked).toEqual([undefined, '"cat"', undefined, undefined]);
    expect(aliases.size).toBe(2);
  });

  it('remembers no failure, and at most maxAliases URLs', async () => {
    let fail = true;
    const aliases = new ContentAliases(
      { fetch: async (url) => (fail ? Promise.reject(new Error('down')) : imageOf(String(url))) },
      { maxAliases: 2 },
    );
    await expect(aliases.resolve(URL_A)).rejects.toThrow('down');
    fail = false;
    for (const url of [URL_A, URL_B, 'https://c.example/', URL_A]) await aliases.resolve(url);
    expect(aliases.size).toBe(2);
    aliases.forget(URL_A);
    expect(aliases.size).toBe(1);
    aliases.forget();
    expect(aliases.size).toBe(0);
  });
});
