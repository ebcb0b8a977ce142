import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FORMS, outcomeTable, PAGE } from './outcome-table.ts';
import { OUTCOMES } from './outcomes/outcome.ts';
import { effectsOf } from './outcomes/run-outcome.ts';
import { fakeTarget, rawTarget } from './outcomes/target.ts';
import { repositoryRoot } from './runtimes.ts';

const RUN_TIMEOUT_MS = 300_000;

const printed = (name: string): string => {
  const page = readFileSync(join(repositoryRoot, PAGE), 'utf8');
  return new RegExp(`<!-- ${name} -->\\n([\\s\\S]*?)\\n<!-- /${name} -->`).exec(page)?.[1] ?? '';
};

describe('docs/outcomes.md, which `node .ci/outcome-table.ts` prints anew', () => {
  it.concurrent.each(FORMS.flatMap((form) => (['chat', 'responses'] as const).map((api) => ({ form, api }))))(
    'says what every outcome does: $form through $api',
    async ({ form, api }) => {
      expect((await outcomeTable(form, api)).split('\n')).toEqual(printed(`outcomes: ${form}`).split('\n'));
    },
    RUN_TIMEOUT_MS,
  );
});

describe('the commonest outcomes against a bare HTTP server', () => {
  const [good] = OUTCOMES;
  const commonest = OUTCOMES.filter(({ raw }) => raw !== undefined);
  const openRaw = () => rawTarget(good?.raw ?? 'hang');

  it('are at least ten', () => {
    expect(commonest.length).toBeGreaterThanOrEqual(10);
  });

  it.concurrent.each(
    commonest.flatMap((outcome) => (['single', 'stream'] as const).map((form) => ({ ...outcome, form }))),
  )(
    'do the same there: $name, $form',
    async ({ form, ...outcome }) => {
      const run = { outcome, form, options: {} };
      expect(await effectsOf({ ...run, openTarget: openRaw })).toEqual(
        await effectsOf({ ...run, openTarget: fakeTarget }),
      );
    },
    RUN_TIMEOUT_MS,
  );
});
