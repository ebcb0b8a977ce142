import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isFailed } from './benchmark-report.ts';
import { measureContender } from './measure-contender.ts';
import { readResults, writeResult } from './results-folder.ts';
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

const run = (...args: string[]) => runWith(['--quick', ...args]);

const runWith = async (args: readonly string[]) => {
  const lines: string[] = [];
  const note = (text: string) => void lines.push(text);
  const code = await runSuites(pathToFileURL(`${folder}/`), args, {
    output: { log: note, error: note },
    results: pathToFileURL(`${folder}/results/`),
    // Most tests are of the run and not of the measuring, for which a process a sample takes long.
    measureOf: () => measureContender,
  });
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
    expect(text).toContain('fine suite: 3 rounds');
    expect(JSON.parse(await readFile(json, 'utf8'))).toMatchObject({
      machine: { node: process.version },
      suites: [{ file: 'fine.bench.ts', passed: true, contenders: [{ name: 'base' }, { name: 'slow' }] }],
    });
  });

  it('exits with 1 for a failed gate', async () => {
    await benchFile('gated', CONTENDERS, '{ slow: 1.5 }');
    const { code, text } = await runWith(['--rounds', '3']);
    expect(code).toBe(1);
    expect(text).toMatch(/GATE FAILED {3}slow: time ratio to base .*, allowed 1.5/);
    expect(text).toContain('FAILED: gated suite');
  });

  it('judges no gate in a quick run', async () => {
    await benchFile('gated', CONTENDERS, '{ slow: 1.5 }');
    const { code, text } = await run();
    expect(code).toBe(0);
    expect(text).not.toContain('GATE');
  });

  it('exits with 1 for a wrong result, and runs the other suites', async () => {
    await benchFile('broken', '{ base: () => { throw new Error("boom"); } }');
    await benchFile('fine', CONTENDERS);
    const { code, text } = await run();
    expect(code).toBe(1);
    expect(text).toContain('boom');
    expect(text).toContain('fine suite: 3 rounds');
  });

  it('finds suites by their name and by that of their file', async () => {
    await benchFile('one', CONTENDERS);
    await benchFile('two', CONTENDERS);
    expect((await run('--grep', 'ONE')).text).not.toContain('two suite');
    expect((await run('--grep', 'two suite')).text).not.toContain('one suite');
    const none = await run('--grep', 'three');
    expect(none.code).toBe(2);
    expect(none.text).toBe('no suite matches three. These exist:\none suite\ntwo suite');
  });

  it('is stopped by a file that can not be loaded only when that file was asked for', async () => {
    await writeFile(join(folder, 'bad.bench.ts'), 'throw new Error("missing");');
    await benchFile('fine', CONTENDERS);
    expect((await run('--grep', 'fine')).code).toBe(0);
    await expect(run()).rejects.toThrow("bad.bench.ts can't be loaded");
  });

  it('measures each contender of each round in a process of its own', async () => {
    const sees =
      '{ base: () => (globalThis.seen = (globalThis.seen ?? 0) + 1) > 0, again: () => globalThis.seen === undefined }';
    await benchFile('apart', sees);
    const results = pathToFileURL(`${folder}/results/`);
    const output = { log: () => {}, error: () => {} };
    const args = ['--quick', '--rounds', '2'];
    expect(await runSuites(pathToFileURL(`${folder}/`), args, { output, results })).toBe(0);
    const [report] = await readResults(results);
    expect(report).toMatchObject({ version: 1, kind: 'benchmark', complete: true, asked: { quick: true, rounds: 2 } });
    const [suite] = report?.suites ?? [];
    if (suite === undefined || isFailed(suite)) throw new Error(suite?.error ?? 'no suite');
    for (const contender of suite.contenders) expect(contender.allocatedBytes).toBeGreaterThanOrEqual(0);
  });

  it('goes on where a run was stopped', async () => {
    await benchFile('one', CONTENDERS);
    await benchFile('two', CONTENDERS);
    await run();
    const results = pathToFileURL(`${folder}/results/`);
    const [whole] = await readResults(results);
    if (whole === undefined) throw new Error('no report');
    await writeResult(results, { ...whole, complete: false, suites: whole.suites.slice(0, 1) });
    const resumed = await run('--resume');
    expect(resumed.text).not.toContain('one suite: 3 rounds');
    expect(resumed.text).toContain('two suite: 3 rounds');
    const reports = await readResults(results);
    expect(reports).toHaveLength(1);
    expect(reports[0]).toMatchObject({ complete: true, suites: [{ name: 'one suite' }, { name: 'two suite' }] });
    // A whole run is not resumed: it starts again.
    expect((await run('--resume')).text).toContain('one suite: 3 rounds');
  });

  it('exits with 2 for a wrong command line', async () => {
    const { code, text } = await run('--fast');
    expect(code).toBe(2);
    expect(text).toContain('npm run perf:benchmark');
  });
});
