import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DescribeClientOptions, DescribeInput, DescribeRequest } from '@describe-it/sdk';
import { MODEL_TABLE } from '../../../src/testing/fake-openai/token-table.ts';
import type { Family } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const jsonSchema = {
  type: 'object',
  properties: { description: { type: 'string' } },
  required: ['description'],
  additionalProperties: false,
};

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

/** Models as the fake server had them when the base was recorded: they take every effort, and hide no token. */
const LENIENT = {
  models: Object.fromEntries(
    Object.entries(MODEL_TABLE).map(([name, model]) => [name, { ...model, efforts: EFFORTS, temperature: 'always' }]),
  ),
  reasoningTokens: Object.fromEntries(EFFORTS.map((effort) => [effort, 0])),
} as const;

/** Images by every way, and requests with every field. */
const plain: Family = {
  name: 'request',
  count: 5,
  run: async (stage) => {
    const { draw } = stage;
    await stage.server({ latency: { distribution: 'fixed', ms: 30 }, ...LENIENT });
    const client = stage.client({
      ...(draw.bool(0.5) ? { model: draw.pick(['gpt-4o', 'gpt-4.1', 'o4-mini', 'gpt-5-mini']) } : {}),
      ...(draw.bool(0.4) ? { system: 'Be brief.' } : {}),
      ...(draw.bool(0.4) ? { extraBody: { seed: 7, user: 'someone' } } : {}),
      ...(draw.bool(0.3) ? { headers: { 'x-own': 'yes' }, organization: 'org-own', project: 'proj-own' } : {}),
      dialect: draw.pick(['auto', 'openai', 'generic']),
    });
    const bytes = stage.image(1);
    const url = `data:image/png;base64,${bytes.toString('base64')}`;
    const forms: readonly DescribeInput[] = [
      bytes,
      url,
      new Blob([new Uint8Array(stage.image(2))]),
      { image: new Uint8Array(stage.image(3)).buffer },
      { image: bytes, prompt: 'Why?', maxOutputTokens: 40, metadata: { row: 1 } },
      { image: bytes, model: 'gpt-4o', detail: 'high', temperature: 0.2 },
      { image: stage.image(4, 600), detail: 'high', reasoningEffort: 'low' },
      { image: bytes, extraBody: { top_p: 0.5 }, cacheScope: 'mine', tags: ['t'], ttlSeconds: 60 },
    ];
    for (const [place, input] of [...draw.shuffled(forms), ...forms.slice(0, 2)].entries()) {
      await stage.describe(`form ${place}`, client, input);
    }
  },
};

/** What can't be sent, and a client without a key. */
const wrong: Family = {
  name: 'wrong-input',
  count: 2,
  run: async (stage, index) => {
    await stage.server();
    const client = stage.client(index === 1 ? { apiKey: undefined } : {});
    const requests: readonly unknown[] = [
      '',
      'cat.jpg',
      { file: '/nowhere/cat.jpg' },
      'http://10.0.0.1/cat.jpg',
      'ftp://example.com/cat.jpg',
      { image: Buffer.from('no image at all') },
      { image: Buffer.alloc(0) },
      { image: stage.image(1), temperature: 9 },
      { image: stage.image(1), file: 'both.png' },
      { image: stage.image(1), extraBody: { stream: true } },
      { image: stage.image(1), onTruncatd: 'return' },
      stage.image(1),
    ];
    for (const [place, input] of requests.entries()) {
      await stage.describe(`wrong ${place}`, client, input as DescribeRequest);
    }
    const options: readonly unknown[] = [
      { timeoutMs: -1 },
      { model: '' },
      { retry: { maxAttempts: 0 } },
      { unknown: 1 },
    ];
    for (const [place, given] of options.entries()) {
      const make = async () => stage.sdk.createDescribeClient(given as DescribeClientOptions);
      await stage.start(`options ${place}`, make);
    }
    await stage.settle(client.close());
    await stage.describe('after the end', client, stage.image(1));
  },
};

/** Structured answers, also ones that the caller's parse refuses. */
const schemas: Family = {
  name: 'schema',
  count: 6,
  run: async (stage) => {
    const { draw } = stage;
    const rules = [
      {
        when: { requests: [2, 3] },
        fault: { kind: 'wrong-json', where: 'content', json: { other: 1 } },
      } as const,
      { when: { requests: 5 }, fault: { kind: 'truncate', where: 'content' } } as const,
    ];
    await stage.server({ latency: { distribution: 'fixed', ms: 60 }, faults: draw.bool(0.6) ? rules : [] });
    const client = stage.client({ retry: { maxAttempts: 3, initialDelayMs: 80 } });
    for (let call = 0; call < 6; call += 1) {
      let left = draw.int(0, 2);
      const parse = (value: unknown) => {
        left -= 1;
        if (left >= 0) throw new Error('not mine');
        return { parsed: value };
      };
      const schema = { name: 'facts', jsonSchema, ...(draw.bool(0.5) ? { parse } : {}) };
      await stage.describe(`call ${call}`, client, stage.image(draw.int(1, 4)), { schema });
    }
  },
};

async function imageHost(stage: Stage): Promise<{ readonly server: Server; readonly base: string }> {
  const server = createServer((request, response) => {
    const number = Number(/(\d+)\.png/.exec(request.url ?? '')?.[1] ?? 0);
    if (number === 0) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'image/png', etag: `"${number}"` }).end(stage.image(number));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { server, base: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Images at URLs, known by their URL or by their bytes. */
const urls: Family = {
  name: 'url',
  count: 4,
  run: async (stage, index) => {
    const { draw } = stage;
    const { server, base } = await imageHost(stage);
    await stage.server({ latency: { distribution: 'fixed', ms: 40 } });
    const imageIdentity = index % 2 === 0 ? 'url' : 'content';
    const client = stage.client({
      images: { imageIdentity, allowHosts: ['127.0.0.1'] },
    });
    const paths = ['/1.png', '/1.png?again=1', '/2.png#part', '/2.png', '/missing'];
    for (let call = 0; call < 9; call += 1) {
      await stage.describe(`call ${call}`, client, `${base}${draw.pick(paths)}`);
      if (draw.bool(0.3)) await stage.advance(draw.int(1_000, 90_000));
    }
    server.closeAllConnections();
    server.close();
  },
};

/** A server that refuses parameters by name. */
const dialects: Family = {
  name: 'dialect',
  count: 4,
  run: async (stage, index) => {
    const names = [['store'], ['max_completion_tokens'], ['temperature', 'store'], ['detail']][index] ?? [];
    const rules = names.map((name, place) => {
      const error = {
        message: `Unsupported parameter: '${name}'.`,
        type: 'invalid_request_error',
        param: name,
        code: 'unsupported_parameter',
      };
      const fault = { kind: 'error', status: 400, body: JSON.stringify({ error }) } as const;
      return { when: { requests: 1 + place }, fault };
    });
    await stage.server({ faults: rules });
    const client = stage.client({ temperature: 0.5 });
    for (let call = 0; call < 3; call += 1) await stage.describe(`call ${call}`, client, stage.image(call));
    await stage.advance(3_700_000);
    await stage.describe('after an hour', client, stage.image(9));
  },
};

export const INPUTS: readonly Family[] = [plain, wrong, schemas, urls, dialects];
