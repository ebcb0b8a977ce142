import { expect, it } from 'vitest';
import { failurePage } from './failure-table.ts';

it('docs/errors.md prints the table of failures; `node .ci/failure-table.ts` prints it anew', () => {
  const { current, printed } = failurePage();
  expect(current).toBe(printed);
});
