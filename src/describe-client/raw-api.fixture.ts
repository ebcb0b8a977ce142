import type { IncomingMessage, ServerResponse } from 'node:http';
import { startRawServer } from './raw-server.fixture.ts';

export type Body = Readonly<Record<string, unknown>>;

/** One request as it arrived. */
export interface Arrived {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  /** Undefined for a GET. */
  readonly body: Body | undefined;
}

export interface RawReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A chat completion, as small as one may be; its choice has this content and these further fields. */
export const completion = (content: unknown, choice: object = {}): Body => ({
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content }, ...choice }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
});

/** An API on a bare HTTP server. */
export async function startRawApi(reply: (arrived: Arrived) => RawReply | Promise<RawReply>) {
  const seen: Arrived[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse, text: string) => {
    const { method = '', url = '', headers } = request;
    const arrived = { method, url, headers, body: text === '' ? undefined : (JSON.parse(text) as Body) };
    seen.push(arrived);
    const { status = 200, headers: own = {}, body } = await reply(arrived);
    response.writeHead(status, { 'content-type': 'application/json', ...own });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  const { origin, close } = await startRawServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => void respond(request, response, Buffer.concat(pieces).toString()));
  });
  return {
    origin,
    baseURL: `${origin}/v1`,
    seen,
    /** Bodies of the POSTs, in their order. */
    bodies: () => seen.flatMap(({ body }): Body[] => (body === undefined ? [] : [body])),
    [Symbol.asyncDispose]: close,
  };
}
