// tsup makes the CommonJS files of a split bundle with sucrase. It confuses a private field with the export of the same
// name: `this.#cost = 1` becomes `this.#cost = exports.cost = 1`, and the export is a number. Seen with tsup 8.5. To
// repair it, give the field another name.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './runtimes.ts';

const dist = join(repositoryRoot, 'dist');
const files = readdirSync(dist).filter((file) => file.endsWith('.cjs'));
const broken = files.flatMap((file) =>
  [...readFileSync(join(dist, file), 'utf8').matchAll(/#(\w+) = exports\.\1\b/g)].map(
    ([, name]) => `${file}: the field #${name} overwrites the export ${name}`,
  ),
);
if (files.length === 0) broken.push('there is no CommonJS file: build first');
for (const line of broken) console.error(line);
process.exitCode = broken.length > 0 ? 1 : 0;
