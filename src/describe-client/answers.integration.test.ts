import { describe, expect, it } from 'vitest';
import type { UpstreamError } from '../errors/upstream-error.ts';
import {
  badImage,
  completion,
  error,
  goodImage,
  inside,
  openClient,
  openServer,
  type RawAnswer,
  useAnswers,
} from './answers.fixture.ts';

const { start, disposables } = useAnswers();

const page = (status: number, type: string | null = 'text/html'): RawAnswer => ({
  status,
  type,
  body: '<html><title>Attention Required!</title></html>',
});
interface Expected {
  readonly code: string;
  readonly retryable?: boolean;
  /** Requests of the one call. @defaultValue 1 */
  readonly requests?: number;
  /** Failures that the breaker counts. @defaultValue 0 */
  readonly counted?: number;
  /** Whether the next image causes no request, because the failure is of the key or the account. @defaultValue false */
  readonly stops?: boolean;
  /** Whether another endpoint is asked, where there is one. @defaultValue false */
  readonly moves?: boolean;
  /** Whether the other images of a pack are described. @defaultValue false */
  readonly alone?: boolean;
}

const QUOTA: Expected = { code: 'DESCRIBE_QUOTA_EXHAUSTED', stops: true, moves: true };
const OUTAGE: Expected = { code: 'DESCRIBE_UPSTREAM', retryable: true, requests: 3, counted: 3, moves: true };
const REFUSED: Expected = { code: 'DESCRIBE_REFUSED', alone: true };
const REJECTED: Expected = { code: 'DESCRIBE_UPSTREAM' };
const REJECTED_ALONE: Expected = { ...REJECTED, alone: true };
const UNREADABLE: Expected = { code: 'DESCRIBE_IMAGE_UNREADABLE', alone: true };
const EMPTY: Expected = { code: 'DESCRIBE_REFUSED', retryable: true, requests: 3, alone: true };
const NO_ANSWER: Expected = { ...EMPTY, code: 'DESCRIBE_RESPONSE_INVALID' };
/** Asked once more, with twice the limit. */
const CUT: Expected = { ...EMPTY, code: 'DESCRIBE_OUTPUT_TRUNCATED', requests: 2 };
const THROTTLED: Expected = { code: 'DESCRIBE_RATE_LIMITED', retryable: true, requests: 3, moves: true };
const BROKEN: Expected = { ...OUTAGE, code: 'DESCRIBE_RESPONSE_INVALID' };
const TEXT = 'A red square.';
const streamed = `data: ${JSON.stringify({ id: 'c1', choices: [{ delta: { content: TEXT } }] })}`;
const PAGE: Expected = { code: 'DESCRIBE_RESPONSE_INVALID', counted: 1, moves: true };

const FAULTS: readonly (readonly [string, RawAnswer, Expected])[] = [
  // Answers in the API's form are the content's fault.
  ['no text, stop', { body: completion('') }, EMPTY],
  ['null, stop', { body: completion(null) }, EMPTY],
  ['no parts, stop', { body: completion([]) }, EMPTY],
  ['no text, length', { body: completion('', { finish_reason: 'length' }) }, CUT],
  ['thoughts only, length', { body: completion('<think>hm', { finish_reason: 'length' }) }, CUT],
  [
    'a text cut off',
    { body: completion('A red', { finish_reason: 'length' }) },
    { code: 'DESCRIBE_OUTPUT_TRUNCATED', alone: true },
  ],
  ['no choices', { body: { object: 'chat.completion', choices: [] } }, NO_ANSWER],
  ['null', { body: 'null' }, NO_ANSWER],
  ['a refusal', { body: completion(null, { message: { content: null, refusal: 'I must not' } }) }, REFUSED],
  ['a refusal as a part', { body: completion([{ type: 'refusal', refusal: 'I must not' }]) }, REFUSED],
  ['a filtered answer', { body: completion('A', { finish_reason: 'content_filter' }) }, REFUSED],

  // An error inside a 200 is judged as if its own status had come.
  ['402 inside', inside({ code: 402, message: 'Insufficient credits' }), QUOTA],
  ['a billing code inside', inside({ code: 'insufficient_quota', message: 'No' }), QUOTA],
  ['429 inside', inside({ code: 429, message: 'Slow down' }), THROTTLED],
  ['429 inside, as text', inside({ code: '429', message: 'Slow down' }), THROTTLED],
  ['a rate limit in words inside', inside({ type: 'rate_limit_error', message: 'Slow' }), THROTTLED],
  [
    'what a provider said, inside',
    inside({
      code: 400,
      message: 'Provider returned error',
      metadata: { raw: '{"error":{"message":"Could not process image"}}' },
    }),
    UNREADABLE,
  ],
  ['400 inside', inside({ code: 400, message: 'Provider returned error' }), REJECTED_ALONE],
  [
    '401 inside',
    inside({ code: 401, message: 'No auth credentials' }),
    { code: 'DESCRIBE_AUTH', stops: true, moves: true },
  ],
  ['502 inside', inside({ code: 502, message: 'Provider is down' }), OUTAGE],
  [
    '503 inside, in words',
    inside({ type: 'overloaded_error', message: 'Busy' }),
    { ...OUTAGE, code: 'DESCRIBE_OVERLOADED' },
  ],
  [
    'an error in the choice',
    { body: completion('', { finish_reason: 'error', error: { code: 502, message: 'x' } }) },
    OUTAGE,
  ],
  [
    'an error that broke the text off',
    { body: completion(TEXT, { finish_reason: 'error', error: { code: 502, message: 'x' } }) },
    OUTAGE,
  ],
  ['a text that an error broke off', { body: completion(TEXT, { finish_reason: 'error' }) }, NO_ANSWER],
  [
    'a filtered answer without a message',
    { body: completion(null, { finish_reason: 'content_filter', message: undefined }) },
    REFUSED,
  ],
  ['a text inside', inside('Unexpected endpoint or method.'), REJECTED],
  ['a list inside', { body: [{ error: { code: 400, message: 'bad' } }] }, REJECTED_ALONE],
  ['a message alone inside', { body: { message: 'no route', object: 'error' } }, REJECTED],

  // An answer that is not JSON comes from a gateway.
  ['a page', page(200), PAGE],
  ['a page of text', page(200, 'text/plain'), PAGE],
  ['JSON that breaks off', { body: '{"id":"c1","cho' }, BROKEN],
  ['nothing', { type: null, body: '' }, BROKEN],
  ['a page that is typed as JSON', page(200, 'application/json'), PAGE],
  ['a stream cut off, typed as JSON', { body: streamed.slice(0, -3) }, PAGE],
  ['a 500 page', page(500), OUTAGE],
  ['a 502 page', page(502), OUTAGE],
  ['a 503 page', page(503), { ...OUTAGE, code: 'DESCRIBE_OVERLOADED' }],
  ['a 400 page', page(400), REJECTED_ALONE],
  ['a 403 page of a firewall', page(403), REJECTED_ALONE],
  ['a 403 page of text', page(403, 'text/plain'), REJECTED_ALONE],
  ['a 406 page', page(406), REJECTED_ALONE],
  ['a 409 page', page(409), REJECTED_ALONE],
  ['a redirect', { ...page(308), headers: { location: 'https://example.com/' } }, { ...REJECTED, moves: true }],
  ['a 405', error(405, { message: 'x' }), { ...REJECTED, moves: true }],
  ['a 410', error(410, { message: 'The model was withdrawn' }), { ...REJECTED, moves: true }],
  ['a 404 page', page(404), { ...REJECTED, moves: true }],
  ['a 401 page', page(401), { code: 'DESCRIBE_AUTH', stops: true, moves: true }],
  ['a 402 page', page(402), QUOTA],
  ['a 408 page', page(408), OUTAGE],
  ['a 413 page', page(413), { code: 'DESCRIBE_CONTEXT_TOO_LONG', alone: true }],
  ['a 429 page', page(429), THROTTLED],

  // Errors that say more than their status.
  ['402', error(402, { code: 402, message: 'This request requires more credits' }), QUOTA],
  ['a 403 with a billing code', error(403, { code: 'billing_not_active', message: 'x' }), QUOTA],
  ['a 400 with a billing code', error(400, { code: 'Arrearage', message: 'x' }), QUOTA],
  [
    'a 400 about the balance',
    error(400, { type: 'invalid_request_error', message: 'Your credit balance is too low' }),
    QUOTA,
  ],
  [
    'a 403 of a moderation',
    error(403, { code: 403, message: 'x', metadata: { reasons: ['violence'], flagged_input: '…' } }),
    REFUSED,
  ],
  ['a 403 that says flagged', error(403, { message: 'Input was flagged', code: 403 }), REFUSED],
  [
    'content_filter',
    error(400, {
      code: 'content_filter',
      message: 'x',
      innererror: { code: 'ResponsibleAIPolicyViolation' },
    }),
    REFUSED,
  ],
  [
    'an inner content filter',
    error(400, { code: 'BadRequest', message: 'x', innererror: { code: 'ResponsibleAIPolicyViolation' } }),
    REFUSED,
  ],
  ['content_policy_violation', error(400, { code: 'content_policy_violation', message: 'x' }), REFUSED],
  ['a sanitizer', error(500, { code: 'sanitizer_server_error', message: 'x' }), UNREADABLE],
  [
    'invalid_value of the image',
    error(400, {
      code: 'invalid_value',
      param: 'input',
      message: 'The image data you provided does not represent a valid image.',
    }),
    UNREADABLE,
  ],
  ['an image that Ollama can not read', { status: 400, body: { error: 'invalid image input' } }, UNREADABLE],
  [
    'an image that vLLM can not read',
    {
      status: 400,
      body: { object: 'error', message: 'cannot identify image file', type: 'BadRequestError', code: 400 },
    },
    UNREADABLE,
  ],
  [
    'a context in words',
    {
      status: 400,
      body: { object: 'error', message: "This model's maximum context length is 4096 tokens", code: 400 },
    },
    { code: 'DESCRIBE_CONTEXT_TOO_LONG', alone: true },
  ],
  ['a 404 of a path', { status: 404, body: { error: 'no route' } }, { ...REJECTED, moves: true }],
  [
    'a 404 of a model',
    error(404, { message: 'model "llava" not found', type: 'api_error', code: null }),
    { ...REJECTED, moves: true },
  ],
  ['a 422 of FastAPI', { status: 422, body: { detail: [{ loc: ['body', 'n'], msg: 'extra fields' }] } }, REJECTED],
  // A server that cannot reach another one has no fault to find in an image that was sent whole.
  ['a server that can not reach another', error(500, { message: 'Cannot connect to host backend:80' }), OUTAGE],
];

describe.each(FAULTS)('an answer for one image: %s', (_name, answer, expected) => {
  const {
    code,
    retryable = false,
    requests = 1,
    counted: failures = 0,
    stops = false,
    moves = false,
    alone = false,
  } = expected;

  it('is judged, paid for and counted as it deserves', async () => {
    const { server, client, counted } = await start(answer, { circuitBreaker: { failureThreshold: 100 } });
    await client.describe({ image: goodImage(1) });
    const failure: UpstreamError = await client.describe({ image: badImage }).catch((thrown) => thrown);
    expect({ code: failure.code, retryable: failure.retryable }).toEqual({ code, retryable });
    expect(server.bodies).toHaveLength(1 + requests);
    expect(counted()).toEqual([failures]);
    if (stops) {
      // The next call is not sent before a probe is due, which is seconds away.
      await expect(client.describe({ image: goodImage(2), timeoutMs: 100 })).rejects.toThrow();
      expect(server.bodies).toHaveLength(2);
      return;
    }
    expect(await client.describe({ image: goodImage(2) })).toMatchObject({ description: 'fine' });
    // A failure is never cached: the image causes another request.
    const before = server.bodies.length;
    await client.describe({ image: badImage }).catch(() => {});
    expect(server.bodies).toHaveLength(before + requests);
  });

  it('fails alone in a pack, or with all where it is nobody’s fault', async () => {
    const { client } = await start(answer, {
      batch: { batchSize: 4, maxBatchWaitMs: 5 },
      circuitBreaker: { failureThreshold: 100 },
      cache: false,
      retry: false,
    });
    const images = [goodImage(1), badImage, goodImage(2), goodImage(3)];
    const outcomes = await Promise.allSettled(images.map((image) => client.describe({ image })));
    const told = outcomes.map((outcome) =>
      outcome.status === 'fulfilled' ? outcome.value.description : outcome.reason.code,
    );
    expect(told[1]).toBe(code);
    expect(told.filter((each) => each === 'fine')).toHaveLength(alone ? 3 : 0);
  });

  it('is left to another endpoint, or not', async () => {
    const good = await openServer({ body: completion('from the other') });
    disposables.push(good);
    const faulty = await openServer(answer);
    disposables.push(faulty);
    const client = openClient({
      endpoints: [
        { name: 'faulty', apiKey: 'a', baseURL: faulty.baseURL, weight: 1000 },
        { name: 'good', apiKey: 'b', baseURL: good.baseURL, weight: 0.001 },
      ],
    });
    disposables.push(client);
    const told = await client.describe({ image: badImage }).then(
      ({ description }) => description,
      (thrown) => thrown.code,
    );
    expect(faulty.bodies.length).toBe(1);
    // A retry goes to the other endpoint too.
    expect(told).toBe(moves || requests > 1 ? 'from the other' : code);
  });
});

describe('the message about an answer that is no JSON', () => {
  it.each([
    ['a page', page(200), true],
    ['JSON that breaks off', { body: '{"id":"c1","cho' }, false],
  ])('asks for a missing /v1 where that can be the reason: %s', async (_, answer, asks) => {
    const { client } = await start(answer, { retry: false });
    const failure: Error = await client.describe({ image: badImage }).catch((thrown) => thrown);
    expect(failure.message.includes('/v1')).toBe(asks);
  });
});
