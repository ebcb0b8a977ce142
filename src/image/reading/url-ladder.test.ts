import { describe, expect, it } from 'vitest';
import { ImageError } from '../../errors/index.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { type DownloadedImage, type LoadedImage, loadImage, UrlLadder } from '../index.ts';

const image = (url: string): LoadedImage => ({ kind: 'url', url });
const CAT = 'https://intranet.example/cat.jpg';
const DOG = 'https://intranet.example/dog.jpg';

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=',
  'base64',
);

const cannotDownload = () => new ImageError('DESCRIBE_IMAGE_FETCH_FAILED', 'the API could not download the image');

/** An API that can't download from the intranet, and a loader that can; both log what they were asked. */
function setUp() {
  let loaderFailure: 'DESCRIBE_IMAGE_FORBIDDEN' | 'DESCRIBE_IMAGE_FETCH_FAILED' | undefined;
  const setLoaderFailure = (code: typeof loaderFailure) => {
    loaderFailure = code;
  };
  const log: string[] = [];
  const clock = new ManualClock();
  const loader = {
    fetch: async (url: string | URL) => {
      log.push(`download ${new URL(url).pathname}`);
      if (loaderFailure !== undefined) throw new ImageError(loaderFailure, 'no');
      return (await loadImage(PIXEL)) as DownloadedImage;
    },
  };
  const send = async (sent: LoadedImage) => {
    log.push(sent.kind === 'url' ? `send ${new URL(sent.url).pathname}` : 'send bytes');
    if (sent.kind === 'url' && sent.url.startsWith('https://intranet')) throw cannotDownload();
    return 'described';
  };
  return { log, clock, send, setLoaderFailure, ladder: new UrlLadder(loader, { clock, rememberMs: 1_000 }) };
}

describe('UrlLadder', () => {
  it('sends the URL where the API can download it', async () => {
    const { ladder, send, log } = setUp();
    expect(await ladder.send(image('https://public.example/cat.jpg'), send)).toBe('described');
    expect([log, ladder.inlineHosts]).toEqual([['send /cat.jpg'], 0]);
  });

  it('sends the bytes where it cannot, and goes straight to them for the same host', async () => {
    const { ladder, send, log, clock } = setUp();
    expect(await ladder.send(image(CAT), send)).toBe('described');
    expect(await ladder.send(image(DOG), send)).toBe('described');
    expect(log).toEqual(['send /cat.jpg', 'download /cat.jpg', 'send bytes', 'download /dog.jpg', 'send bytes']);
    await clock.advance(1_000);
    log.length = 0;
    await ladder.send(image(DOG), send);
    expect(log[0]).toBe('send /dog.jpg');
  });

  it('tries the bytes once, and nothing after another kind of failure', async () => {
    const { ladder, log } = setUp();
    let sends = 0;
    const failing = async () => {
      sends += 1;
      throw cannotDownload();
    };
    await expect(ladder.send(image(CAT), failing)).rejects.toThrow('could not download');
    expect(sends).toBe(2);
    log.length = 0;
    const refused = new Error('refused');
    await expect(ladder.send(image('https://public.example/'), () => Promise.reject(refused))).rejects.toBe(refused);
    expect(log).toEqual([]);
  });

  it('remembers no host that this process cannot reach either', async () => {
    const { ladder, send, setLoaderFailure } = setUp();
    setLoaderFailure('DESCRIBE_IMAGE_FORBIDDEN');
    await expect(ladder.send(image(CAT), send)).rejects.toMatchObject({ code: 'DESCRIBE_IMAGE_FORBIDDEN' });
    expect(ladder.inlineHosts).toBe(0);
  });

  it('tries the URL once where it can no more download from a host it remembers, and then forgets it', async () => {
    const { ladder, send, log, setLoaderFailure } = setUp();
    await ladder.send(image(CAT), send);
    setLoaderFailure('DESCRIBE_IMAGE_FETCH_FAILED');
    log.length = 0;
    await expect(ladder.send(image(DOG), send)).rejects.toMatchObject({
      code: 'DESCRIBE_IMAGE_FETCH_FAILED',
    });
    expect([log, ladder.inlineHosts]).toEqual([['download /dog.jpg', 'send /dog.jpg'], 1]);
    expect(await ladder.send(image(DOG), async (sent) => sent.kind)).toBe('url');
    expect(ladder.inlineHosts).toBe(0);
    setLoaderFailure(undefined);
    await ladder.send(image(CAT), send);
    setLoaderFailure('DESCRIBE_IMAGE_FORBIDDEN');
    log.length = 0;
    await expect(ladder.send(image(DOG), send)).rejects.toMatchObject({ code: 'DESCRIBE_IMAGE_FORBIDDEN' });
    expect(log).toEqual(['download /dog.jpg']);
  });

  it('downloads nothing for a caller who left', async () => {
    const { ladder, log } = setUp();
    const controller = new AbortController();
    const reason = new Error('caller left');
    const left = ladder.send(
      image(CAT),
      async () => {
        controller.abort(reason);
        throw cannotDownload();
      },
      { signal: controller.signal },
    );
    await expect(left).rejects.toBe(reason);
    expect(log).toEqual([]);
  });

  it('passes bytes through', async () => {
    const { ladder, send, log } = setUp();
    await ladder.send(await loadImage(PIXEL), send);
    expect(log).toEqual(['send bytes']);
  });

  it('refuses unknown options', () => {
    expect(() => new UrlLadder({ fetch: async () => undefined }, { maxHost: 1 } as object)).toThrow('maxHosts');
  });
});
