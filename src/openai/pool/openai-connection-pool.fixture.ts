import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { OpenAIConnectionPool } from './openai-connection-pool.ts';
import type { OpenAIConnectionPoolOptions } from './openai-pool-options.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export const KEY = 'sk-secret-of-this-test';

export const completion = (content: string) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4.1-mini',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});

export const json = (response: ServerResponse, status: number, body: unknown, headers = {}) => {
  response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_1', ...headers });
  response.end(JSON.stringify(body));
};

export const answer: Handler = (request, response) => {
  if (request.url?.includes('/models')) json(response, 200, { object: 'list', data: [] });
  else json(response, 200, completion('a cat'));
};

export const cleanups: (() => Promise<unknown>)[] = [];

/** Ends every server and pool of a test. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

export async function startServer(handler: Handler = answer, port = 0) {
  const sockets = new Set<Socket>();
  const seen: { url: string; headers: IncomingMessage['headers']; body: string }[] = [];
  let opened = 0;
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      seen.push({ url: request.url ?? '', headers: request.headers, body });
      handler(request, response, body);
    });
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    opened += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  cleanups.push(stop);
  const { port: bound } = server.address() as AddressInfo;
  return { port: bound, baseURL: `http://127.0.0.1:${bound}/v1`, seen, sockets, stop, opened: () => opened };
}

export function makePool(baseURL: string, options: OpenAIConnectionPoolOptions = {}) {
  const pool = new OpenAIConnectionPool(KEY, baseURL, options);
  cleanups.push(() => pool.destroy());
  return pool;
}

export const body = {
  model: 'gpt-4.1-mini',
  messages: [{ role: 'user' as const, content: 'What is this?' }],
};
