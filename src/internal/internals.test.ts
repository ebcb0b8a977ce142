import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Deferred } from './async/deferred.ts';
import { deepFreeze } from './deep-freeze.ts';
import { MAJOR_VERSION, processSingleton } from './modules/process-singleton.ts';
import { nearestName } from './options/nearest-name.ts';

describe('Deferred', () => {
  it('settles once', async () => {
    const deferred = new Deferred<number>();
    deferred.resolve(1);
    deferred.reject(new Error('late'));
    await expect(deferred.promise).resolves.toBe(1);
  });
});

describe('processSingleton', () => {
  it('creates once and lives under a registered symbol of the major version', () => {
    const make = () => ({ made: true });
    const first = processSingleton('test-singleton', make);
    expect(processSingleton('test-singleton', make)).toBe(first);
    const key = Symbol.for(`@describe-it/sdk/test-singleton@${MAJOR_VERSION}`);
    expect((globalThis as Record<symbol, unknown>)[key]).toBe(first);
    delete (globalThis as Record<symbol, unknown>)[key];
  });

  it('uses the major version of package.json', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(MAJOR_VERSION).toBe(Number(version.split('.')[0]));
  });
});

describe('deepFreeze', () => {
  it('freezes all the way down, cycles included, and leaves binary views alone', () => {
    const bytes = new Uint8Array(1);
    const value: Record<string, unknown> = { list: [{ deep: 1 }], bytes };
    value['self'] = value;
    deepFreeze(value);
    expect(Object.isFrozen((value['list'] as object[])[0])).toBe(true);
    expect(Object.isFrozen(bytes)).toBe(false);
  });
});

describe('nearestName', () => {
  it('finds a slip of the keyboard and nothing far away', () => {
    const names = ['acquireTimeoutMs', 'idleTimeoutMs', 'max'];
    expect(nearestName('aquireTimeoutMS', names)).toBe('acquireTimeoutMs');
    expect(nearestName('mx', names)).toBe('max');
    expect(nearestName('zebra', names)).toBeUndefined();
  });
});
