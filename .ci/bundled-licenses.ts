// Writes dist/bundled/LICENSES.txt: the licences of the packages whose code stands in dist/bundled.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './runtimes.ts';

const bundled = join(repositoryRoot, 'dist', 'bundled');
const packages = new Map<string, string>();

function collect(name: string): void {
  const folder = join(repositoryRoot, 'node_modules', name);
  if (packages.has(name)) return;
  const { version, license, dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim();
  packages.set(name, `${name} ${version}, ${license}\n\n${text}`);
  Object.keys(dependencies).forEach(collect);
}

if (!existsSync(bundled)) throw new Error('there is no dist/bundled: run tsup first');
for (const file of readdirSync(bundled)) if (file.endsWith('.js')) collect(file.slice(0, -3));
writeFileSync(join(bundled, 'LICENSES.txt'), `${[...packages.values()].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`);
