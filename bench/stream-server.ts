import { createServer } from 'node:http';
import { setImmediate } from 'node:timers/promises';

/** Answers every request with the stream of one description, an event a write. Does not read the request. */
const WORDS =
  'A tabby cat sleeps on a wooden chair beside a window, and rain runs down the glass. '.repeat(5).match(/\S+\s/g) ??
  [];

const head = { id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1, model: 'gpt-4.1-mini' };
const event = (more: object) => `data: ${JSON.stringify({ ...head, service_tier: 'default', ...more })}\n\n`;
const chunk = (delta: object, finish: string | null = null) =>
  event({
    system_fingerprint: 'fp_0123456789',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    usage: null,
    obfuscation: 'xxxxxxxx',
  });
const usage = { prompt_tokens: 100, completion_tokens: WORDS.length, total_tokens: 100 + WORDS.length };
const EVENTS = [
  chunk({ role: 'assistant', content: '', refusal: null }),
  ...WORDS.map((content) => chunk({ content })),
  chunk({}, 'stop'),
  event({ choices: [], usage }),
  'data: [DONE]\n\n',
];

const server = createServer((request, response) => {
  request.resume();
  request.on('end', async () => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-request-id': 'req_bench' });
    for (const text of EVENTS) {
      response.write(text);
      await setImmediate();
    }
    response.end();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.({ ...Object(server.address()), deltas: WORDS.length }));
process.on('disconnect', () => process.exit(0));
