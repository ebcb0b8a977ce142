import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { scenarioTable } from './load-scenarios.ts';
import { repositoryRoot } from './runtimes.ts';

it('docs/guide/load-tests.md has the scenarios as they are', () => {
  const page = readFileSync(join(repositoryRoot, 'docs/guide/load-tests.md'), 'utf8');
  expect(page).toContain(scenarioTable());
});
