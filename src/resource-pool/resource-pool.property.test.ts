import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Play } from './pool-play.fixture.ts';
import { type Hook, story } from './pool-story.fixture.ts';

/** For more stories, or others: `POOL_STORIES=50000 POOL_SEED=8`. */
const STORIES = {
  numRuns: Number(process.env['POOL_STORIES'] ?? 2_000),
  seed: Number(process.env['POOL_SEED'] ?? 3),
};

describe('ResourcePool, whatever happens', () => {
  it('never exceeds maxSize, never lends twice, settles every acquire once and leaves nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (told) => {
        await new Play(told).run();
      }),
      STORIES,
    );
  });

  it('leaves nobody waiting for long when nothing hangs', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (told) => {
        const hooks = told.hooks.map((one): Hook => (one.does === 'hang' ? { does: 'throw' } : one));
        // A pool whose every create fails never lends.
        const play = new Play({ ...told, meddling: [], hooks: [...hooks, { does: 'ok' }, { does: 'ok' }] }, 100_000);
        expect(await play.runToRest()).toBe(0);
      }),
      { ...STORIES, numRuns: STORIES.numRuns / 2 },
    );
  });
});
