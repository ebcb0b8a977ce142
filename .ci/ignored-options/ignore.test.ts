import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../runtimes.ts';
import { PLANTED_FILES, planted } from './ignore.ts';
import { OPTIONS } from './options.ts';

const source = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');
const notices: Readonly<Record<string, string>> = JSON.parse(source('.ci/ignored-options/noticed-by.json'));

describe('the options that can be ignored', () => {
  it.each(PLANTED_FILES)('have their place in %s', (path) => {
    expect(planted(`/${path}`, source(path))).toContain('globalThis.ignored(');
  });

  it('are those of the specs, nested ones too, without those that the client refuses', () => {
    expect(OPTIONS).toEqual(
      expect.arrayContaining(['client.endpoints.[].limits.maxConcurrency', 'client.retry.policies.outage.maxDelayMs']),
    );
    expect(OPTIONS).toEqual(expect.not.arrayContaining(['client.retry.clock', 'client.cache.host']));
  });

  it('are noticed by a test each, whose file is there', () => {
    expect(Object.keys(notices), 'run `npm run check:ignored-options -- --missing`').toEqual(OPTIONS);
    const gone = Object.values(notices).filter(
      (notice) => !existsSync(join(repositoryRoot, notice.split(': ')[0] ?? '')),
    );
    expect(gone).toEqual([]);
  });
});
