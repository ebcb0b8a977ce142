import { OpenAIConnectionPool } from './openai-connection-pool.ts';

/** Uses a pool, leaves it open and has nothing else to do. */
const [, , baseURL = '', mode = ''] = process.argv;
const pool = new OpenAIConnectionPool('sk-fake', baseURL, { min: 2, max: 2, leakThresholdMs: 60_000 });
await pool.warmUp();
const params = { model: 'gpt-4.1-mini', messages: [{ role: 'user' as const, content: 'Hello' }] };
await Promise.all([1, 2, 3, 4].map(() => pool.use((client) => client.chat.completions.create(params))));
if (mode === 'close') await pool.close();
process.stdout.write('done\n');
