import { setTimeout as delay } from 'node:timers/promises';
import { OpenAIConnectionPool } from './pool/openai-connection-pool.ts';

/** Uses a pool, leaves it open and has nothing else to do. */
const [, , baseURL = '', mode = ''] = process.argv;
const pool = new OpenAIConnectionPool('sk-fake', baseURL, {
  min: 2,
  max: 2,
  leakThresholdMs: 60_000,
  healthCheckInterval: mode === 'check often' ? 100 : 30_000,
});
await pool.warmUp();
const params = { model: 'gpt-4.1-mini', messages: [{ role: 'user' as const, content: 'Hello' }] };
await Promise.all([1, 2, 3, 4].map(() => pool.use((client) => client.chat.completions.create(params))));
if (mode === 'close') await pool.close();
if (mode === 'ask') await pool.healthCheck();
// Waits until a check is running.
while (mode === 'check often' && pool.getStats().connections.requests <= 6) await delay(10);
await new Promise((resolve) => setImmediate(resolve));
process.stdout.write(
  process
    .getActiveResourcesInfo()
    .filter((name) => name !== 'PipeWrap')
    .join() || 'nothing',
);
