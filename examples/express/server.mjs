// An image description service: POST /describe, GET /health, GET /metrics.
// Run it with OPENAI_API_KEY set, and REDIS_URL if descriptions should outlive the process.
import { createDescribeClient, createPerformanceMiddleware, DescribeError } from '@describe-it/sdk';
import express from 'express';

const MAX_IMAGE_BYTES = 20 * 1024 * 1024;

/** HTTP status of each error that a caller can do something about; everything else is a 502. */
const STATUS = {
  DESCRIBE_INPUT_INVALID: 400,
  DESCRIBE_IMAGE_FORBIDDEN: 400,
  DESCRIBE_IMAGE_UNREADABLE: 422,
  DESCRIBE_IMAGE_UNSUPPORTED: 415,
  DESCRIBE_IMAGE_TOO_LARGE: 413,
  DESCRIBE_IMAGE_FETCH_FAILED: 422,
  DESCRIBE_CONTEXT_TOO_LONG: 422,
  DESCRIBE_REFUSED: 422,
  DESCRIBE_RATE_LIMITED: 429,
  DESCRIBE_QUEUE_FULL: 503,
  DESCRIBE_CIRCUIT_OPEN: 503,
  DESCRIBE_CLOSED: 503,
  DESCRIBE_TIMEOUT: 504,
};

const client = createDescribeClient({ logger: console });
const app = express();
app.use(createPerformanceMiddleware(client.monitor));

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

app.use((error, _request, response, next) => {
  if (response.headersSent) return next(error);
  const known = DescribeError.is(error);
  const status = known ? (STATUS[error.code] ?? 502) : (error.status ?? 500);
  if (error.retryAfterMs > 0) response.set('Retry-After', String(Math.ceil(error.retryAfterMs / 1000)));
  response
    .status(status)
    .json({ error: { code: known ? error.code : 'ERROR', message: known ? error.message : 'failed' } });
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
