import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readImageFacts, startFakeOpenAI } from '../../src/testing/index.ts';
import type { Outcome, RawForm } from './outcome.ts';

/** A server that makes an outcome happen. */
export interface Target extends AsyncDisposable {
  readonly apiKey: string;
  readonly baseURL: string;
  /** From now on the server behaves as the outcome says; before, and after `calm()`, it describes every image. */
  arm(outcome: Outcome, image: Uint8Array): Promise<void>;
  calm(): Promise<void>;
  /** Requests that have arrived. */
  requests(): number;
  /** Answers and tokens that were billed. */
  billed(): { readonly answers: number; readonly tokens: number };
}

const HANG = [{ fault: { kind: 'hang' } }] as const;

export async function fakeTarget(): Promise<Target> {
  const server = await startFakeOpenAI();
  const { apiKey, baseURL } = server;
  return {
    apiKey,
    baseURL,
    arm: async ({ fault, isOfImage = false, setting }, image) => {
      if (setting === 'nobody listens') await server.stop();
      if (setting === 'full') server.setFaults(HANG);
      if (fault === undefined) return;
      const when = isOfImage ? { when: { imageHash: (await readImageFacts(image)).hash } } : {};
      server.setFaults([{ ...when, fault }]);
    },
    calm: async () => {
      server.setFaults([]);
      await server.start();
    },
    requests: () => server.getStats().requestsByEndpoint.chat + server.getStats().requestsByEndpoint.responses,
    billed: () => {
      const { requestsBilled, tokensBilled } = server.getStats();
      return { answers: requestsBilled, tokens: tokensBilled.total };
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

const tokensOf = (form: RawForm): number =>
  typeof form === 'object' && form.status === 200
    ? ((JSON.parse(form.body) as { usage?: { total_tokens: number } }).usage?.total_tokens ?? 0)
    : 0;

/** A completion as chat's stream sends it: the message, the reason of its end, its usage. */
function asEvents(completion: string): string {
  const { choices, usage, ...rest } = JSON.parse(completion) as {
    readonly choices: readonly { readonly message: object; readonly finish_reason: string }[];
    readonly usage: object;
  };
  const { message, finish_reason } = choices[0] ?? { message: {}, finish_reason: 'stop' };
  const chunks = [
    { choices: [{ index: 0, delta: message, finish_reason: null }] },
    { choices: [{ index: 0, delta: {}, finish_reason }] },
    { choices: [], usage },
  ].map((chunk) => JSON.stringify({ ...rest, object: 'chat.completion.chunk', ...chunk }));
  return [...chunks, '[DONE]'].map((data) => `data: ${data}\n\n`).join('');
}

/** A bare HTTP server, which knows nothing of the fake. `good` is its answer when calm. */
export async function rawTarget(good: RawForm): Promise<Target> {
  let form = good;
  let requests = 0;
  let answers = 0;
  let tokens = 0;
  const server = createServer((request, response) => {
    let sent = '';
    request.on('data', (piece) => {
      sent += String(piece);
    });
    request.on('end', () => {
      if (request.method === 'GET') {
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"object":"list","data":[]}');
        return;
      }
      requests += 1;
      if (form === 'hang') return;
      if (form === 'reset') {
        request.socket.resetAndDestroy();
        return;
      }
      const cost = tokensOf(form);
      answers += cost > 0 ? 1 : 0;
      tokens += cost;
      if (form.status === 200 && JSON.parse(sent).stream === true) {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).end(asEvents(form.body));
        return;
      }
      response.writeHead(form.status, form.headers).end(form.body);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    apiKey: 'sk-raw',
    baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    arm: async ({ raw }) => {
      form = raw ?? good;
    },
    calm: async () => {
      form = good;
    },
    requests: () => requests,
    billed: () => ({ answers, tokens }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}
