import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const run = promisify(execFile);

/** Makes Node look for `openai` in a place without it. */
const HOOK = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  const nowhere = { parentURL: 'file:///nowhere/index.js' };
  registerHooks({ resolve: (name, context, next) => next(name, name === 'openai' ? { ...context, ...nowhere } : context) });
`)}`;

const MAKERS = {
  'the client': `
    const client = createDescribeClient({ apiKey: 'k', baseURL });
    const call = () => client.describe({ image });
    const end = () => client.close();`,
  OpenAIConnectionPool: `
    const pool = new OpenAIConnectionPool('k', baseURL);
    const call = () => pool.use((openai) => openai.models.list());
    const end = () => pool.close();`,
  'warmUp of OpenAIConnectionPool': `
    const pool = new OpenAIConnectionPool('k', baseURL);
    const call = () => pool.warmUp();
    const end = () => pool.close();`,
  VisionDescriptionBatchProcessor: `
    const pool = new OpenAIConnectionPool('k', baseURL);
    const processor = new VisionDescriptionBatchProcessor(pool, { maxBatchWaitMs: 0 });
    const call = () => processor.process({ image, prompt: 'x' });
    const end = () => processor.close().then(() => pool.close());`,
};

const server = createServer((_, response) => response.end('{}'));
let baseURL = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});
afterAll(() => void server.close());

/** Runs a script in a process without the package, and gives its output. */
async function printedBy(script: string): Promise<unknown> {
  const parts = `
    const { createDescribeClient, OpenAIConnectionPool, VisionDescriptionBatchProcessor } = await import(${JSON.stringify(new URL('../index.ts', import.meta.url).href)});
    const { createTestImage } = await import(${JSON.stringify(new URL('../testing/index.ts', import.meta.url).href)});
    const image = createTestImage();
    const baseURL = ${JSON.stringify(baseURL)};`;
  const program = ['--import', HOOK, '--input-type=module', '--eval', parts + script];
  const { stdout } = await run(process.execPath, program);
  return JSON.parse(stdout);
}

it.each(Object.entries(MAKERS))('%s rejects each call with what to install', async (_name, maker) => {
  const printed = await printedBy(`
    ${maker}
    const said = [];
    for (let i = 0; i < 3; i += 1) said.push(await call().then(() => 'fine', ({ code, message, retryable }) => [code, message, retryable].join(' ')));
    await end();
    console.log(JSON.stringify(said));`);
  const said = expect.stringMatching(/^DESCRIBE_CONFIG_INVALID .*\bnpm install openai\b.* false$/);
  expect(printed).toEqual([said, said, said]);
});

it('the health of a client says what to install, once the package was needed', async () => {
  const printed = await printedBy(`
    ${MAKERS['the client']}
    await call().catch(() => {});
    console.log(JSON.stringify(await client.health()));
    await end();`);
  expect(printed).toMatchObject({
    status: 'unhealthy',
    parts: { 'pool:default': { status: 'unhealthy', reason: expect.stringContaining('npm install openai') } },
  });
});
