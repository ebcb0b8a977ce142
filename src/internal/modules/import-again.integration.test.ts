import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { importAgain } from './import-again.ts';

const fixture = fileURLToPath(new URL('./import-again.fixture.ts', import.meta.url));

describe('importAgain', () => {
  it('loads a package after a first import for which no descriptor was left', async () => {
    const command = ['-c', 'ulimit -n 256; exec "$0" "$1"', process.execPath, fixture];
    const { stdout } = await promisify(execFile)('bash', command);
    // How far the first import gets depends on the other open files.
    expect(stdout).toMatch(/ function function$/);
  });

  it('requires what import() remembers as not to be opened', async () => {
    const path = fileURLToPath(import.meta.resolve('undici'));
    const remembered = () => Promise.reject(Object.assign(new Error('EMFILE'), { code: 'EMFILE', path }));
    expect(await importAgain('undici', remembered)).toHaveProperty('Client');
  });

  it('fails as the import did while nothing can be required either', async () => {
    const none = Object.assign(new Error('EMFILE'), { code: 'EMFILE', path: '/elsewhere/index.js' });
    await expect(importAgain('undici', () => Promise.reject(none))).rejects.toBe(none);
  });

  it('leaves every other failure as it is', async () => {
    const absent = new Error("Cannot find package 'undici'");
    await expect(importAgain('undici', () => Promise.reject(absent))).rejects.toBe(absent);
  });
});
