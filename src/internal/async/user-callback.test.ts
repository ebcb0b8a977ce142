import { describe, expect, it } from 'vitest';
import { answerNow, callSafely, ignoreRejection } from './user-callback.ts';

/** A thenable of no known class, which records its listeners. */
function thenable() {
  const rejected: unknown[] = [];
  // biome-ignore lint/suspicious/noThenProperty: the promise of another library.
  return { rejected, then: (_: unknown, onRejected: unknown) => rejected.push(onRejected) };
}

describe('answerNow', () => {
  it('gives what the callback answers', () => {
    expect(answerNow((value: number) => value + 1, 1, 0)).toBe(2);
  });

  it('gives the default in place of a throw', () => {
    const failing = (): number => {
      throw new Error('no');
    };
    expect(answerNow(failing, undefined, 7)).toBe(7);
  });

  it('gives the default in place of a promise, and handles its rejection', () => {
    const promise = thenable();
    expect(answerNow((): unknown => promise, undefined, 'default')).toBe('default');
    expect(promise.rejected).toEqual([expect.any(Function)]);
  });

  it('gives the default in place of an answer that throws when it is looked at', () => {
    const hostile = Object.defineProperty({}, 'then', {
      get() {
        throw new Error('no');
      },
    });
    expect(answerNow((): unknown => hostile, undefined, 'default')).toBe('default');
  });
});

describe('callSafely', () => {
  it('lets neither a throw nor a rejection out', () => {
    const promise = thenable();
    callSafely(() => promise, undefined);
    callSafely(() => {
      throw new Error('no');
    }, undefined);
    expect(promise.rejected).toHaveLength(1);
  });
});

describe('ignoreRejection', () => {
  it('tells a promise from a value', () => {
    expect([ignoreRejection(Promise.reject(new Error('no'))), ignoreRejection({ value: 1 })]).toEqual([true, false]);
  });
});
