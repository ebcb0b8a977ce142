import { createServer } from 'node:http';

/** Answers every request with a completion whose body has about 300 bytes, without reading the request. */
const ANSWER = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4.1-mini',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'A cat on a chair.' } }],
  usage: { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 },
  system_fingerprint: 'fp_0123456789',
});

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(ANSWER),
      'x-request-id': 'req_bench',
    });
    response.end(ANSWER);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
process.on('disconnect', () => process.exit(0));
