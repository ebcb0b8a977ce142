import OpenAI, { APIError, AzureOpenAI } from 'openai';
import { describe, expect, it, vi } from 'vitest';

/** The behaviour of openai 6.0 to 7.57 that the pool relies on or works around. */
type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

const params = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }] };

/** The minimum that a JSON answer must have for the client. */
const thin = (status: number, body: unknown, headers: Record<string, string> = {}) => {
  const all = new Map(Object.entries({ 'content-type': 'application/json', ...headers }));
  return {
    status,
    ok: status < 400,
    // Parsed for a log line that is never written.
    url: 'http://x/v1',
    body: null,
    headers: { get: (name: string) => all.get(name.toLowerCase()) ?? null, entries: () => all.entries() },
    text: async () => JSON.stringify(body),
    json: async () => body,
  } as unknown as Response;
};

const make = (fetch: Fetch) =>
  new OpenAI({ apiKey: 'k', baseURL: 'http://x/v1', maxRetries: 0, logLevel: 'off', fetch });

describe('openai, relied on', () => {
  it('asks no more of a JSON answer than ok, status, url, headers, text, json and body', async () => {
    const { data, request_id } = await make(async () => thin(200, { choices: [] }, { 'x-request-id': 'r1' }))
      .chat.completions.create(params)
      .withResponse();
    expect(data).toEqual({ choices: [] });
    expect(request_id).toBe('r1');
  });

  it('keeps status, code, type and headers of an API error, and fetches once with maxRetries 0', async () => {
    const fetch = vi.fn<Fetch>(async () =>
      thin(429, { error: { message: 'm', type: 't', code: 'c' } }, { 'retry-after': '1' }),
    );
    const error = await make(fetch)
      .chat.completions.create(params)
      .catch((caught) => caught);
    expect(error).toMatchObject({ status: 429, code: 'c', type: 't' });
    expect(error.headers.get('retry-after')).toBe('1');
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it('keeps what fetch rejects with as the cause of a connection error', async () => {
    const cause = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    const error = await make(() => Promise.reject(cause))
      .chat.completions.create(params)
      .catch((caught) => caught);
    expect(error.constructor.name).toBe('APIConnectionError');
    expect(error.status).toBeUndefined();
    expect(error.cause).toBe(cause);
  });

  it('builds a request without sending it, with its address and all headers, and makes an error of a 401', async () => {
    const fetch = vi.fn<Fetch>();
    const { url, req } = await make(fetch).buildRequest({ method: 'get', path: '/models' });
    expect(url).toBe('http://x/v1/models');
    expect(req.headers.get('authorization')).toBe('Bearer k');
    const azure = new AzureOpenAI({
      apiKey: 'k',
      baseURL: 'http://x/openai',
      apiVersion: '2024-10-21',
      fetch,
    });
    const built = await azure.buildRequest({ method: 'get', path: '/models' });
    expect(built.url).toBe('http://x/openai/models?api-version=2024-10-21');
    expect(built.req.headers.get('api-key')).toBe('k');
    expect(fetch).not.toHaveBeenCalled();
    const headers = new Headers({ 'x-request-id': 'r1' });
    const error = APIError.generate(401, { error: { code: 'c', type: 't' } }, undefined, headers);
    expect(error).toMatchObject({ status: 401, code: 'c', type: 't', requestID: 'r1' });
    expect(error.constructor.name).toBe('AuthenticationError');
  });

  it('aborts the signal of fetch when its timeout is over, until fetch has resolved', async () => {
    const seen: AbortSignal[] = [];
    const hang: Fetch = (_url, init) =>
      new Promise((_resolve, reject) => {
        const { signal } = init as { signal: AbortSignal };
        seen.push(signal);
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    const error = await make(hang)
      .chat.completions.create(params, { timeout: 20 })
      .catch((caught) => caught);
    expect(error.constructor.name).toBe('APIConnectionTimeoutError');
    expect(seen[0]?.aborted).toBe(true);
  });

  it('sends a body of the options instead of the parameters, bytes as they are', async () => {
    const bodies: unknown[] = [];
    const types: (string | null)[] = [];
    const client = make(async (_url, init) => {
      bodies.push(init?.body);
      types.push(new Headers(init?.headers).get('content-type'));
      return thin(200, {});
    });
    const body = Buffer.from('{"model":"m"}');
    await client.chat.completions.create(params, { body, headers: { 'content-type': 'application/json' } });
    expect(bodies).toEqual([body]);
    expect(types).toEqual(['application/json']);
  });

  it('finds the deployment of Azure in __metadata when the body is bytes', async () => {
    const urls: string[] = [];
    const client = new AzureOpenAI({
      apiKey: 'k',
      apiVersion: '2024-10-21',
      baseURL: 'http://x/openai',
      maxRetries: 0,
      fetch: async (url) => {
        urls.push(String(url));
        return thin(200, {});
      },
    });
    const options = { body: Buffer.from('{}'), headers: {}, __metadata: { model: 'dep' } };
    await client.chat.completions.create(params, options);
    expect(urls).toEqual(['http://x/openai/deployments/dep/chat/completions?api-version=2024-10-21']);
  });

  it('hides the reason of the caller behind an error of its own', async () => {
    const controller = new AbortController();
    const abortedWhileSent: Fetch = (_url, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
        controller.abort(new Error('mine'));
      });
    const call = make(abortedWhileSent)
      .chat.completions.create(params, { signal: controller.signal })
      .catch((caught) => caught);
    expect((await call).constructor.name).toBe('APIUserAbortError');
  });
});

describe('openai, fenced', () => {
  it('retries twice by itself unless it is told not to', async () => {
    const fetch = vi.fn<Fetch>(async () => thin(500, {}, { 'retry-after-ms': '1' }));
    const client = new OpenAI({ apiKey: 'k', baseURL: 'http://x/v1', logLevel: 'off', fetch });
    await client.chat.completions.create(params).catch(() => {});
    expect(fetch).toHaveBeenCalledTimes(3);
  });

  it('reads organization and project from the environment unless they are null', () => {
    vi.stubEnv('OPENAI_ORG_ID', 'org-env');
    const settings = { apiKey: 'k', baseURL: 'http://x/v1' };
    expect(new OpenAI(settings).organization).toBe('org-env');
    expect(new OpenAI({ ...settings, organization: null }).organization).toBeNull();
    vi.unstubAllEnvs();
  });
});
