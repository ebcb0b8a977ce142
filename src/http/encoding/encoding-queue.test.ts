import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { loopSlices } from '../../internal/async/loop-slices.ts';
import { encodeBase64 } from './encode-base64.ts';
import { encodeJson, InlineBytes } from './encode-json.ts';
import { inEncodingQueue } from './encoding-queue.ts';

const large = Buffer.alloc(3_000_000, 'image');

describe('large encodings at the same time', () => {
  it('are made one after the other', async () => {
    const log: string[] = [];
    const encode = (name: string) => async () => {
      log.push(`${name} begins`);
      await loopSlices.next();
      log.push(`${name} ends`);
    };
    await Promise.all(['a', 'b'].map((name) => inEncodingQueue(encode(name), undefined)));
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('keep no small one waiting', async () => {
    const done: string[] = [];
    const make = (name: string, work: Promise<unknown>) => work.then(() => done.push(name));
    await Promise.all([
      make('body', encodeJson({ url: new InlineBytes(large, 'image/png') })),
      make('text', encodeBase64(large)),
      make('body', encodeJson({ url: new InlineBytes(large, 'image/png') })),
      make('small body', encodeJson({ url: new InlineBytes(large.subarray(0, 9_000), 'image/png') })),
      make('small text', encodeBase64(large.subarray(0, 9_000))),
    ]);
    expect(done.slice(0, 2).sort()).toEqual(['small body', 'small text']);
  });

  it('wait for none that fails, and leave the queue as soon as they are aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let finish = () => {};
    const slow = inEncodingQueue(() => new Promise<void>((resolve) => (finish = resolve)), undefined);
    let ran = false;
    const waiting = inEncodingQueue(async () => {
      ran = true;
    }, controller.signal);
    const failing = inEncodingQueue(() => Promise.reject(new TypeError('no')), undefined);
    const outcome = expect(failing).rejects.toThrow('no');
    const next = inEncodingQueue(async () => 'next', undefined);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    finish();
    await slow;
    await outcome;
    expect(await next).toBe('next');
    expect(ran).toBe(false);
  });
});
