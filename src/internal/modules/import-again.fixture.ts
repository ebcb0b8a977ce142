// Run by import-again.integration.test.ts with few descriptors: imports undici with one left, then with many.
import { closeSync, openSync } from 'node:fs';
import { importAgain } from './import-again.ts';

const held: number[] = [];
try {
  for (;;) held.push(openSync('/dev/null', 'r'));
} catch {
  // All descriptors are taken. undici opens its files in parallel.
  closeSync(held.pop() ?? 0);
}
const said: string[] = [];
const attempt = () =>
  importAgain('undici', () => import('undici')).then(
    ({ Client }) => said.push(typeof Client),
    (error: NodeJS.ErrnoException) => said.push(`${error.code} ${error.message}`),
  );
await attempt();
for (const descriptor of held) closeSync(descriptor);
await attempt();
await attempt();
process.stdout.write(said.join(' '));
