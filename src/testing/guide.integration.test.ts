import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const { resolve } = createRequire(import.meta.url);
const page = await readFile(new URL('../../docs/guide/testing.md', import.meta.url), 'utf8');
const blocks = page.split(/^## /m).flatMap((section) => {
  const title = section.slice(0, section.indexOf('\n'));
  return [...section.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => ({ title, code }));
});

const entry = new URL('./index.ts', import.meta.url).href;
const root = new URL('../index.ts', import.meta.url).href;
const runnable = (code: string) =>
  code
    .replaceAll("'@describe-it/sdk/testing'", `'${entry}'`)
    .replaceAll("'@describe-it/sdk'", `'${root}'`)
    .replaceAll(/from '(?!node:|file:)([^']+)'/g, (_, name: string) => `from '${pathToFileURL(resolve(name)).href}'`);

describe('the testing guide', () => {
  it('has blocks to run', () => {
    expect(blocks.length).toBeGreaterThan(5);
  });

  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'describe-it-guide-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  it.each(blocks)('runs what it says: $title', async ({ title, code }) => {
    const file = join(folder, `${title.replaceAll(/\W/g, '-')}.ts`);
    await writeFile(file, runnable(code));
    const { stderr } = await run(process.execPath, [file], { timeout: 45_000 });
    expect(stderr).toBe('');
  });
});
