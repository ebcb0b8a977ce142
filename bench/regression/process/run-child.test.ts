import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChildRequest } from './plan.ts';
import { runChild } from './run-child.ts';

const module = new URL('./probe-benches.fixture.mjs', import.meta.url).href;
const plan = { warmUpRuns: 5, runsPerSample: 2_000, samples: 3 };

let folder: string;

/** A build of a package of one file. */
function build(name: string, source: string): string {
  const made = join(folder, name);
  mkdirSync(made);
  const exports = { './probe': { import: { default: './probe.js' } } };
  writeFileSync(join(made, 'package.json'), JSON.stringify({ type: 'module', exports }));
  writeFileSync(join(made, 'probe.js'), source);
  return made;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'describe-it-gate-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const GOOD = `export const answer = () => 'right'; export const wrong = () => 'wrong'; export const missing = undefined;`;

const child = (bench: string, buildFolder: string, more: Partial<ChildRequest> = {}) =>
  runChild({ module, bench, build: buildFolder, services: {}, ...more }, join(folder, 'compiled'));

describe('runChild', () => {
  it('loads the build that it is told to, finds the counts, and measures with them', async () => {
    const good = build('good', GOOD);
    const found = await child('good', good);
    expect(found).toMatchObject({ kind: 'plan', operations: 1, plan: { samples: expect.any(Number) } });
    const measured = await child('good', good, { plan, memory: true });
    expect(measured).toMatchObject({ kind: 'sample', sample: { cpu: expect.any(Number), memory: expect.any(Number) } });
  });

  it('rejects a wrong result, work that nobody counted, and a crash, with the reason', async () => {
    const good = build('other', GOOD);
    await expect(child('wrong', good, { plan })).rejects.toThrow('Error: operation: the result is wrong');
    await expect(child('uncounted', good, { plan })).rejects.toThrow(/^Error: .*0 of \d+ operations/);
    await expect(child('missing', good, { plan })).rejects.toThrow(/^TypeError: .*not a function/);
  });

  it('rejects where the build lacks an export or an entry point, so that the bench counts as new', async () => {
    const old = build('old', `export const answer = () => 'right';`);
    await expect(child('good', old)).rejects.toThrow(/^SyntaxError: .*does not provide an export named/);
    const older = build('older', GOOD);
    writeFileSync(join(older, 'package.json'), JSON.stringify({ type: 'module', exports: {} }));
    await expect(child('good', older)).rejects.toThrow('the build has no entry point ./probe');
  });

  it('does more work for a slowdown on purpose', async () => {
    const good = build('slow', GOOD);
    const [plain, slowed] = [
      await child('good', good, { plan }),
      await child('good', good, { plan, extraBytes: 1_000_000 }),
    ];
    if (plain.kind !== 'sample' || slowed.kind !== 'sample') throw new Error('a child gave no sample');
    // The checksum of a megabyte takes hundreds of times what the bench does, on any machine.
    expect(slowed.sample.cpu).toBeGreaterThan(plain.sample.cpu * 2);
  });
});
