import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Body, completion } from './raw-api.fixture.ts';
import { startRawServer } from './raw-server.fixture.ts';

export const chunk = (content: string, choice: object = {}, more: object = {}): object => ({
  id: 'c1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta: { content }, finish_reason: null, ...choice }],
  ...more,
});
export const end = (reason = 'stop'): object => chunk('', { delta: {}, finish_reason: reason });
export const usage: object = { choices: [], usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } };

/** The text of these events; a text stands as it is. */
export const sse = (...events: readonly (object | string)[]): string =>
  events.map((event) => (typeof event === 'string' ? event : `data: ${JSON.stringify(event)}\n\n`)).join('');

/** A whole stream of this text, a word a delta. */
export const streamOf = (text: string): string =>
  sse(...(text.match(/\S*\s*/g) ?? []).filter(Boolean).map((word) => chunk(word)), end(), usage, 'data: [DONE]\n\n');

/** One request, whose answer the test writes. */
export interface Exchange {
  readonly body: Body;
  readonly response: ServerResponse;
  /** Port of the client's socket. */
  readonly port: number | undefined;
  /** Resolves when the socket is closed. */
  readonly closed: Promise<unknown>;
  /** Writes a text or bytes, and begins the stream before the first. */
  write(text: string | Uint8Array): void;
  end(text?: string): void;
  /** Answers with JSON. */
  json(body: unknown, status?: number): void;
}

/** An API on a bare HTTP server, whose streams the test writes. A request without `stream` gets a whole completion. */
export async function startStreamedApi(answer: (exchange: Exchange, index: number) => unknown) {
  const exchanges: Exchange[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    if (request.method !== 'POST') return void response.end('{"data":[]}');
    const body = JSON.parse(Buffer.concat(pieces).toString()) as Body;
    const begin = () => {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'r1' });
    };
    const exchange: Exchange = {
      body,
      response,
      port: request.socket.remotePort,
      closed: once(request.socket, 'close'),
      write: (text) => {
        begin();
        response.write(text);
      },
      end: (text = '') => {
        begin();
        response.end(text);
      },
      json: (value, status = 200) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(value));
      },
    };
    exchanges.push(exchange);
    if (body['stream'] === true) await answer(exchange, exchanges.length - 1);
    else exchange.json(completion('A whole answer.'));
  };
  const { origin, close } = await startRawServer((request, response) => void respond(request, response));
  return {
    baseURL: `${origin}/v1`,
    exchanges,
    streams: () => exchanges.filter(({ body }) => body['stream'] === true),
    [Symbol.asyncDispose]: close,
  };
}
