import type { IncomingMessage, ServerResponse } from 'node:http';
import { createTestImage } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import type { DescribeClient } from './describe-client.ts';
import { useDisposables } from './disposables.fixture.ts';
import type { DescribeClientOptions } from './options/client-options.ts';
import { completion } from './raw-api.fixture.ts';
import { startRawServer } from './raw-server.fixture.ts';

export { completion };

/** An answer as the server sends it; a body that is not a string is sent as JSON. */
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

/** A pack's answer that describes every image as fine. */
function packJson({ messages }: ChatBody): string {
  const texts = messages.flatMap(({ content }) => content.flatMap(({ text }) => text ?? []));
  const ids = texts.flatMap((text) => /^id (\w+)$/.exec(text)?.[1] ?? []);
  return JSON.stringify({ items: ids.map((id) => ({ id, text: 'fine' })) });
}

const IMAGE_PATH = '/cat.png';

/** Answers requests by `answerTo`, and describes every other image as fine. */
export async function openApi(answerTo: (body: string) => RawAnswer | undefined) {
  const bodies: string[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse, text: string) => {
    if (request.url === IMAGE_PATH) return void response.end(goodImage(0));
    if (request.method === 'GET') return send(response, { body: { object: 'list', data: [] } });
    bodies.push(text);
    const body = JSON.parse(text) as ChatBody;
    send(response, answerTo(text) ?? { body: completion(body.response_format ? packJson(body) : 'fine') });
  };
  const server = await startRawServer((request, response) => {
    let text = '';
    request.on('data', (piece) => {
      text += String(piece);
    });
    request.on('end', () => answer(request, response, text));
  });
  /** The address of an image that this server serves itself. */
  const imageUrl = `${server.origin}${IMAGE_PATH}`;
  return { ...server, baseURL: `${server.origin}/v1`, imageUrl, bodies };
}

export type RawApi = Awaited<ReturnType<typeof openApi>>;

function send(response: ServerResponse, { status = 200, type = 'application/json', body, headers }: RawAnswer): void {
  response.writeHead(status, { ...(type === null ? {} : { 'content-type': type }), ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

export const badImage = createTestImage({ seed: 7, width: 32, height: 32 });
export const goodImage = (seed: number): Buffer => createTestImage({ seed: 100 + seed, width: 32, height: 32 });

const holdsBadImage = (body: string) => body.includes(badImage.toString('base64'));

export const openServer = (answer: RawAnswer): Promise<RawApi> =>
  openApi((body) => (holdsBadImage(body) ? answer : undefined));

/** Refuses every image that comes as an address. */
export const openUrls = (answer: RawAnswer): Promise<RawApi> =>
  openApi((body) => (body.includes(IMAGE_PATH) ? answer : undefined));

/** Describes every image of a pack as fine. `form` wraps the JSON of the answer. */
export const openPacks = (form: (json: string) => unknown): Promise<RawApi> =>
  openApi((body) => ({ body: completion(form(packJson(JSON.parse(body)))) }));

/** A client whose retries wait as briefly as possible. */
export const openClient = (options: DescribeClientOptions): DescribeClient =>
  createDescribeClient({
    ...(options.endpoints === undefined ? { apiKey: 'key' } : {}),
    retry: { initialDelayMs: 1, maxDelayMs: 1, budget: false },
    ...options,
  });

/** Starts servers that answer for the bad image as told, each with a client. Both end with their test. */
export function useAnswers() {
  const disposables = useDisposables();
  const start = async (answer: RawAnswer, options: DescribeClientOptions = {}) => {
    const server = await openServer(answer);
    const client = openClient({ baseURL: server.baseURL, ...options });
    disposables.push(server, client);
    const counted = () => Object.values(client.breakers).map((breaker) => breaker.getStats().totals.failed);
    return { server, client, counted };
  };
  return { start, disposables };
}
