import { OpenAIConnectionPool } from '@describe-it/sdk/openai';
import { defineBench } from '../define-bench.ts';

const IN_FLIGHT = 16;
const CALLS = 1;

/** The answer of the gate's server to every request. */
const ANSWER = 'A cat on a chair.';

const params = {
  model: 'gpt-4.1-mini',
  messages: [{ role: 'user' as const, content: 'What is in this image? Answer in one sentence, please.' }],
  max_completion_tokens: 300,
};

export const benches = [
  defineBench({
    name: `connection pool: a call at ${IN_FLIGHT} in flight`,
    needs: ['openai'],
    clock: 'wall',
    operations: IN_FLIGHT * CALLS,
    setup: async ({ openai = '' }) => {
      const pool = new OpenAIConnectionPool('sk-bench', openai, { min: IN_FLIGHT, max: IN_FLIGHT });
      await pool.warmUp();
      return pool;
    },
    run: async (pool) => {
      const lane = async () => {
        let good = 0;
        for (let index = 0; index < CALLS; index += 1) {
          const { choices } = await pool.use((client) => client.chat.completions.create(params));
          if (choices[0]?.message.content === ANSWER) good += 1;
        }
        return good;
      };
      const lanes = await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
      return lanes.reduce((sum, good) => sum + good, 0);
    },
    verify: (good) => good === IN_FLIGHT * CALLS,
    count: (pool) => pool.getStats().acquired,
    teardown: (pool) => pool.destroy(new Error('the bench has ended')),
  }),
];
