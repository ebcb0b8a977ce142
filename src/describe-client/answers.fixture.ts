import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTestImage } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import type { DescribeClientOptions } from './options/client-options.ts';

/** An answer as it goes over the wire; a body that is no text is sent as JSON. */
export interface RawAnswer {
  readonly status?: number;
  /** `null` for none. @defaultValue 'application/json' */
  readonly type?: string | null;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface ChatBody {
  readonly response_format?: unknown;
  readonly messages: readonly {
    readonly content: readonly { readonly type: string; readonly text?: string }[];
  }[];
}

/** An error of the API, and one inside a 200. */
export const error = (status: number, fields: object): RawAnswer => ({ status, body: { error: fields } });
export const inside = (fields: unknown): RawAnswer => ({ body: { error: fields, user_id: 'u' } });

/** A chat completion whose first choice has this content and these further fields. */
export const completion = (content: unknown, choice: object = {}): object => ({
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content }, ...choice }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
});

/** A pack's answer that describes every image as fine. */
function packJson({ messages }: ChatBody): string {
  const texts = messages.flatMap(({ content }) => content.flatMap(({ text }) => text ?? []));
  const ids = texts.flatMap((text) => /^id (\w+)$/.exec(text)?.[1] ?? []);
  return JSON.stringify({ items: ids.map((id) => ({ id, text: 'fine' })) });
}

const IMAGE_PATH = '/cat.png';

/** A raw HTTP server: it answers requests as it is told, and describes every other image as fine. */
export class RawServer implements AsyncDisposable {
  readonly bodies: string[] = [];
  readonly #server = createServer((request, response) => this.#handle(request, response));
  readonly #answerTo: (body: string) => RawAnswer | undefined;

  constructor(answerTo: (body: string) => RawAnswer | undefined) {
    this.#answerTo = answerTo;
  }

  get baseURL(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Where it serves an image itself. */
  get imageUrl(): string {
    return new URL(IMAGE_PATH, this.baseURL).href;
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    let text = '';
    request.on('data', (piece) => {
      text += String(piece);
    });
    request.on('end', () => {
      if (request.url === IMAGE_PATH) return void response.end(goodImage(0));
      if (request.method === 'GET') return send(response, { body: { object: 'list', data: [] } });
      this.bodies.push(text);
      const body = JSON.parse(text) as ChatBody;
      send(response, this.#answerTo(text) ?? { body: completion(body.response_format ? packJson(body) : 'fine') });
    });
  }
}

function send(response: ServerResponse, { status = 200, type = 'application/json', body, headers }: RawAnswer): void {
  response.writeHead(status, { ...(type === null ? {} : { 'content-type': type }), ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

export const badImage = createTestImage({ seed: 7, width: 32, height: 32 });
export const goodImage = (seed: number): Buffer => createTestImage({ seed: 100 + seed, width: 32, height: 32 });

const holdsBadImage = (body: string) => body.includes(badImage.toString('base64'));

export const openServer = (answer: RawAnswer): Promise<RawServer> =>
  new RawServer((body) => (holdsBadImage(body) ? answer : undefined)).listen();

/** Refuses every image that comes as an address. */
export const openUrls = (answer: RawAnswer): Promise<RawServer> =>
  new RawServer((body) => (body.includes(IMAGE_PATH) ? answer : undefined)).listen();

/** Describes every image of a pack as fine, with its JSON in that form. */
export const openPacks = (form: (json: string) => unknown): Promise<RawServer> =>
  new RawServer((body) => ({ body: completion(form(packJson(JSON.parse(body)))) })).listen();

/** A client whose retries wait as little as they may. */
export const openClient = (options: DescribeClientOptions): DescribeClient =>
  createDescribeClient({
    ...(options.endpoints === undefined ? { apiKey: 'key' } : {}),
    retry: { initialDelayMs: 1, maxDelayMs: 1, budget: false },
    ...options,
  });
