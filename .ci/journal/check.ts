import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Records this tree and compares it with `base.json.gz`: `npm run check:journal`. */
const folder = mkdtempSync(join(tmpdir(), 'journal-'));
const record = join(folder, 'head.json');
const root = join(import.meta.dirname, '..', '..');
const run = (script: string, ...args: readonly string[]): number =>
  spawnSync(process.execPath, [join(import.meta.dirname, script), ...args], { stdio: 'inherit' }).status ?? 1;

process.exitCode =
  run('record.ts', '--root', root, '--out', record) ||
  run('compare.ts', join(import.meta.dirname, 'base.json.gz'), record);
rmSync(folder, { recursive: true, force: true });
