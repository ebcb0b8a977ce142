import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PAGE, priceTable } from './model-prices.ts';
import { repositoryRoot } from './runtimes.ts';

it('the record about the default model has the prices of the catalog; `node .ci/model-prices.ts` prints them anew', () => {
  expect(readFileSync(join(repositoryRoot, PAGE), 'utf8')).toContain(priceTable());
});
