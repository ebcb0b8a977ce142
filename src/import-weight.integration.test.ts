import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);

/** Modules that take long to load, and that no program needs before its first call. */
const HEAVY = ['internal/deps/undici/undici', 'http', 'zlib', 'v8', 'dns/promises', 'fs/promises'];

/** The modules of Node that importing an entry point loads, in a process of its own. */
async function modulesLoadedBy(entry: string): Promise<readonly string[]> {
  const program = `
    const before = new Set(process.moduleLoadList);
    await import(${JSON.stringify(new URL(entry, import.meta.url).href)});
    console.log(JSON.stringify(process.moduleLoadList.filter((name) => !before.has(name))));
  `;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
  return (JSON.parse(stdout) as string[]).map((name) => name.replace(/^NativeModule /, ''));
}

describe('an import', () => {
  it.each([
    'index.ts',
    'openai/index.ts',
    'redis-cache/index.ts',
    'performance-monitor/index.ts',
    'routing/index.ts',
    'image/index.ts',
  ])('of %s loads no module of Node that only calls need', async (entry) => {
    const loaded = await modulesLoadedBy(entry);
    expect(loaded).not.toEqual([]);
    expect(HEAVY.filter((name) => loaded.includes(name))).toEqual([]);
  });
});
