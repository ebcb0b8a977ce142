// An image description service: POST /describe, GET /health, GET /metrics.
// Run it with OPENAI_API_KEY set, and REDIS_URL if descriptions should outlive the process.
import { randomUUID } from 'node:crypto';
import { createDescribeClient, createPerformanceMiddleware, DescribeError, httpStatusOf } from '@describe-it/sdk';
import express from 'express';

const MAX_IMAGE_BYTES = 20 * 1024 * 1024;

const client = createDescribeClient({ logger: console });
const app = express();
app.use(createPerformanceMiddleware(client.monitor));

/** An id of the caller's that is safe to log; others are replaced. */
const REQUEST_ID = /^[\w.-]{1,100}$/;

// Every answer, and every log line about it, names the request.
app.use((request, response, next) => {
  const given = request.get('x-request-id') ?? '';
  response.locals.requestId = REQUEST_ID.test(given) ? given : randomUUID();
  response.set('X-Request-Id', response.locals.requestId);
  next();
});

// Either JSON, { "imageUrl": "https://…", "prompt": "…" }, or the bytes of an image with its own content type.
app.post(
  '/describe',
  express.json({ limit: '1mb' }),
  express.raw({ type: 'image/*', limit: MAX_IMAGE_BYTES }),
  async (request, response) => {
    const caller = new AbortController();
    response.on('close', () => caller.abort(new Error('the caller went away')));
    const { imageUrl, prompt } = Buffer.isBuffer(request.body) ? {} : (request.body ?? {});
    const image = Buffer.isBuffer(request.body) ? request.body : undefined;
    const result = await client.describe({ imageUrl, image, prompt, signal: caller.signal });
    response.json({ description: result.description, source: result.source, usage: result.usage });
  },
);

app.get('/health', async (_request, response) => {
  const health = await client.health();
  response.status(health.status === 'unhealthy' ? 503 : 200).json(health);
});

app.get('/metrics', async (_request, response) => {
  response.type('text/plain; version=0.0.4').send(await client.metrics());
});

app.use((request, response) => {
  const message = `there is no ${request.method} ${request.path}`;
  response.status(404).json({ error: { code: 'NOT_FOUND', message, requestId: response.locals.requestId } });
});

// The one shape of an error: { error: { code, message, requestId, retryAfterMs? } }.
app.use((error, _request, response, next) => {
  if (response.headersSent) return next(error);
  const { requestId } = response.locals;
  const known = DescribeError.is(error);
  // Express and its parsers say with `status` and `expose` what is wrong with a request, such as JSON that breaks off.
  const { status, headers } = !known && error.expose ? { status: error.status, headers: {} } : httpStatusOf(error);
  if (status >= 500) console.error({ requestId, code: error.code, upstream: error.requestId }, error.message);
  const code = known ? error.code : status < 500 ? 'REQUEST_INVALID' : 'INTERNAL';
  // Reasons on this side, such as a wrong key, are for the log alone.
  const message = status < 500 ? error.message : 'no description could be made; try again later';
  const retryAfterMs = error.retryAfterMs > 0 ? { retryAfterMs: Math.ceil(error.retryAfterMs) } : {};
  response
    .status(status)
    .set(headers)
    .json({ error: { code, message, requestId, ...retryAfterMs } });
});

const server = app.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

// Refuses new requests, lets those in work end, then closes connections. A second signal ends at once.
let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    if (stopping) process.exit(1);
    stopping = true;
    server.close(async () => {
      await client.close();
      console.log('stopped');
    });
    server.closeIdleConnections();
  });
}
