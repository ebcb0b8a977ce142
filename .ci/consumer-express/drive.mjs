// Starts the Express example of the packed package and drives it over HTTP, bad input and shutdown included.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describeImageFacts, startFakeOpenAI } from '@describe-it/sdk/testing';

const image = readFileSync(join(process.env.CONSUMER_IMAGES, 'coffee.png'));
const openai = await startFakeOpenAI();
const child = spawn(process.execPath, ['server.mjs'], {
  env: { ...process.env, PORT: '0', OPENAI_API_KEY: openai.apiKey, OPENAI_BASE_URL: openai.baseURL },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const killed = setTimeout(() => child.kill('SIGKILL'), 25_000);
const lines = [];
const url = await new Promise((resolve, reject) => {
  child.once('exit', (code) => reject(new Error(`the example ended with ${code}: ${lines.join('\n')}`)));
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    const listening = /listening on (\S+)/.exec(line);
    if (listening) resolve(listening[1]);
  });
});

const post = (body, type, headers = {}) =>
  fetch(`${url}/describe`, { method: 'POST', body, headers: { 'content-type': type, ...headers } });

const first = await post(image, 'image/png');
assert.equal(first.status, 200);
const { description, source, usage } = await first.json();
assert.equal(description, describeImageFacts(image));
assert.equal(source, 'upstream');
assert.ok(usage.totalTokens > 0);
assert.equal((await (await post(image, 'image/png')).json()).source, 'memory');

const dataUrl = `data:image/png;base64,${image.toString('base64')}`;
const asJson = await post(JSON.stringify({ imageUrl: dataUrl, prompt: 'What is it?' }), 'application/json');
assert.equal((await asJson.json()).description, describeImageFacts(image));

for (const [body, type, status, code] of [
  ['{}', 'application/json', 400, 'DESCRIBE_INPUT_INVALID'],
  ['{"imageUrl":"http://127.0.0.1/x"}', 'application/json', 403, 'DESCRIBE_IMAGE_FORBIDDEN'],
  ['not an image', 'image/png', 422, 'DESCRIBE_IMAGE_UNREADABLE'],
  ['{', 'application/json', 400, 'REQUEST_INVALID'],
  ['x'.repeat(2_000_000), 'application/json', 413, 'REQUEST_INVALID'],
]) {
  const answer = await post(body, type, { 'x-request-id': 'mine-1' });
  assert.equal(answer.status, status, code);
  const { error } = await answer.json();
  assert.deepEqual(Object.keys(error), ['code', 'message', 'requestId']);
  assert.deepEqual([error.code, error.requestId, answer.headers.get('x-request-id')], [code, 'mine-1', 'mine-1']);
}
const lost = await fetch(`${url}/nowhere`, { headers: { 'x-request-id': 'not an id\t' } });
assert.equal(lost.status, 404);
const { error: notFound } = await lost.json();
assert.equal(notFound.code, 'NOT_FOUND');
assert.match(notFound.requestId, /^[0-9a-f-]{36}$/);

openai.setFaults([
  { fault: { kind: 'error', code: 'rate_limit_exceeded', retryAfter: { form: 'milliseconds', ms: 50 } } },
]);
const limited = await post(readFileSync(join(process.env.CONSUMER_IMAGES, 'chelsea.png')), 'image/png');
assert.deepEqual([limited.status, Number(limited.headers.get('retry-after')) > 0], [429, true]);
const { error: throttle } = await limited.json();
assert.deepEqual(Object.keys(throttle), ['code', 'message', 'requestId', 'retryAfterMs']);
assert.ok(throttle.retryAfterMs > 0);
openai.setFaults([]);

const health = await fetch(`${url}/health`);
assert.equal(health.status, 200);
assert.ok(['healthy', 'degraded'].includes((await health.json()).status));
const metrics = await (await fetch(`${url}/metrics`)).text();
assert.match(metrics, /describe_it_descriptions_total\{source="memory"\} 1/);
assert.ok(!metrics.includes(openai.apiKey));

// A request in work ends before the process does.
openai.setFaults([{ fault: { kind: 'latency', latency: { distribution: 'fixed', ms: 300 } } }]);
const inWork = post(readFileSync(join(process.env.CONSUMER_IMAGES, 'rocket.jpg')), 'image/jpeg');
await new Promise((resolve) => setTimeout(resolve, 150));
child.removeAllListeners('exit');
const exited = once(child, 'exit');
child.kill('SIGTERM');
assert.equal((await inWork).status, 200);
const [code] = await exited;
clearTimeout(killed);
assert.equal(code, 0);
assert.equal(lines.at(-1), 'stopped');
await openai.close();
