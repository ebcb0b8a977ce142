import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MAJOR_VERSION, processSingleton } from './process-singleton.ts';

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
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
    expect(MAJOR_VERSION).toBe(Number(version.split('.')[0]));
  });
});
