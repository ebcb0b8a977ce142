import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runSuites } from './run-suites.ts';

const HARNESS = new URL('./index.ts', import.meta.url).href;

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-'));
});

afterEach(() => rm(folder, { recursive: true }));

const benchFile = (name: string, contenders: string, gates = '{}') =>
  writeFile(
    join(folder, `${name}.bench.ts`),
    `import { defineSuite } from '${HARNESS}';
    export const suites = [defineSuite({ name: '${name} suite', baseline: 'base', gates: ${gates}, contenders: ${contenders} })];`,
  );

const run = async (...args: string[]) => {
  const lines: string[] = [];
  const note = (text: string) => void lines.push(text);
  const code = await runSuites(pathToFileURL(`${folder}/`), ['--quick', ...args], { log: note, error: note });
  return { code, text: lines.join('\n') };
};

const spin = 'let sum = 1; for (let i = 0; i < 5000; i += 1) sum = (sum * 31 + i) | 0; return sum !== 0;';
const CONTENDERS = `{ base: () => true, slow: () => { ${spin} } }`;

describe('runSuites', () => {
  it('passes, and writes the report as JSON', async () => {
    await benchFile('fine', CONTENDERS);
    const json = join(folder, 'report.json');
    const { code, text } = await run('--json', json);
    expect(code).toBe(0);
    expect(text).toContain('fine suite: 5 rounds');
    expect(JSON.parse(await readFile(json, 'utf8'))).toMatchObject({
      machine: { node: process.version },
      suites: [{ file: 'fine.bench.ts', passed: true, contenders: [{ name: 'base' }, { name: 'slow' }] }],
    });
  });

  it('exits with 1 for a failed gate', async () => {
    await benchFile('gated', CONTENDERS, '{ slow: 1.5 }');
    const { code, text } = await run();
    expect(code).toBe(1);
    expect(text).toMatch(/GATE FAILED {3}slow: time ratio to base .*, allowed 1.5/);
    expect(text).toContain('FAILED: gated suite');
  });

  it('exits with 1 for a wrong result, and runs the other suites', async () => {
    await benchFile('broken', '{ base: () => { throw new Error("boom"); } }');
    await benchFile('fine', CONTENDERS);
    const { code, text } = await run();
    expect(code).toBe(1);
    expect(text).toContain('boom');
    expect(text).toContain('fine suite: 5 rounds');
  });

  it('finds suites by their name and by that of their file', async () => {
    await benchFile('one', CONTENDERS);
    await benchFile('two', CONTENDERS);
    expect((await run('--grep', 'ONE')).text).not.toContain('two suite');
    expect((await run('--grep', 'two suite')).text).not.toContain('one suite');
    expect(await run('--grep', 'three')).toEqual({ code: 2, text: 'no suite matches three' });
  });

  it('is stopped by a file that can not be loaded only when that file was asked for', async () => {
    await writeFile(join(folder, 'bad.bench.ts'), 'throw new Error("missing");');
    await benchFile('fine', CONTENDERS);
    expect((await run('--grep', 'fine')).code).toBe(0);
    await expect(run()).rejects.toThrow("bad.bench.ts can't be loaded");
  });

  it('exits with 2 for a wrong command line', async () => {
    const { code, text } = await run('--fast');
    expect(code).toBe(2);
    expect(text).toContain('npm run perf:benchmark');
  });
});
