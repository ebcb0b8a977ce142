import { Agent, request as httpRequest } from 'node:http';
import OpenAI from 'openai';
import type { FakeOpenAI } from './fake-openai.ts';
import { createTestImage, type TestImageOptions } from './test-image.ts';

/** The real client, without retries of its own. For this folder's tests. */
export const clientOf = (server: FakeOpenAI, apiKey = server.apiKey): OpenAI =>
  new OpenAI({ apiKey, baseURL: server.baseURL, maxRetries: 0, timeout: 5000 });

export const dataUrl = (bytes: Uint8Array, type = 'image/png'): string =>
  `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;

export const imageUrl = (options?: TestImageOptions): string => dataUrl(createTestImage(options));

/** A chat request about one image. */
export const chatBody = (url = imageUrl(), more: object = {}) => ({
  model: 'gpt-4.1-mini',
  messages: [
    {
      role: 'user' as const,
      content: [
        { type: 'text' as const, text: 'Describe this image.' },
        { type: 'image_url' as const, image_url: { url, detail: 'low' as const } },
      ],
    },
  ],
  ...more,
});

/** The schema of a pack: a description for each id. */
export const PACK_SCHEMA = {
  type: 'object',
  properties: {
    items: {
      type: 'array',
      items: {
        type: 'object',
        properties: { id: { type: 'string' }, description: { type: 'string' } },
        required: ['id', 'description'],
        additionalProperties: false,
      },
    },
  },
  required: ['items'],
  additionalProperties: false,
};

/** Posts a body as it is and returns status, headers and parsed JSON. */
export async function post(server: FakeOpenAI, path: string, body: unknown, headers: object = {}) {
  const response = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${server.apiKey}`,
      'content-type': 'application/json',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

function parse(text: string): ApiAnswer {
  try {
    return JSON.parse(text) as ApiAnswer;
  } catch {
    return {};
  }
}

interface ApiAnswer {
  readonly error?: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
  readonly [name: string]: unknown;
}

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status?: number | undefined;
  readonly length?: number;
  readonly text: string;
  readonly bytes: number;
  readonly error?: string;
}

/** Status, headers, and how the body ended, without any client's own handling. */
export function askOverHttp(
  server: FakeOpenAI,
  {
    agent = new Agent(),
    silenceMs = 500,
    ...more
  }: { readonly agent?: Agent; readonly silenceMs?: number; readonly stream?: boolean } = {},
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let head: Pick<RawAnswer, 'status' | 'length'> = {};
    const chunks: Buffer[] = [];
    const settle = (error: object) => {
      const body = Buffer.concat(chunks);
      resolve({ ...head, text: body.toString(), bytes: body.length, ...error });
    };
    const failed = ({ code = 'unknown' }: NodeJS.ErrnoException) => settle({ error: silent ? 'SILENT' : code });
    let silent = false;
    const request = httpRequest(
      `${server.baseURL}/chat/completions`,
      { method: 'POST', agent, headers: { authorization: `Bearer ${server.apiKey}` }, timeout: silenceMs },
      (response) => {
        head = { status: response.statusCode, length: Number(response.headers['content-length']) };
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => settle({}));
        response.on('error', failed);
      },
    );
    request.on('timeout', () => {
      silent = true;
      request.destroy();
    });
    request.on('error', failed);
    request.end(JSON.stringify(chatBody(imageUrl(), more)));
  });
}
