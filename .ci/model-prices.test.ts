import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PAGE, priceTable, TOKEN_PAGE, tokenTable } from './model-prices.ts';
import { repositoryRoot } from './runtimes.ts';

it('the record about the default model has the prices of the catalog; `node .ci/model-prices.ts` prints them anew', () => {
  expect(readFileSync(join(repositoryRoot, PAGE), 'utf8')).toContain(priceTable());
});

it('the guide to images has the tokens of every model of the catalog; the same command prints them anew', () => {
  expect(readFileSync(join(repositoryRoot, TOKEN_PAGE), 'utf8')).toContain(tokenTable());
});
