import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeOpenAI, startFakeOpenAI } from './fake-openai.ts';
import { describeImageFacts } from './image-facts.ts';
import { chatBody, clientOf, dataUrl, imageUrl, PACK_SCHEMA, post } from './test-clients.ts';
import { createTestImage } from './test-image.ts';

let server: FakeOpenAI;
beforeEach(async () => {
  server = await startFakeOpenAI();
});
afterEach(async () => {
  await server.close();
});

describe('chat completions', () => {
  it('describes the facts of the image that it got', async () => {
    const image = createTestImage({ seed: 3, width: 512, height: 256 });
    const completion = await clientOf(server).chat.completions.create(chatBody(dataUrl(image)));
    expect(completion.choices[0]?.message.content).toBe(describeImageFacts(image));
    expect(completion.choices[0]?.message.content).toMatch(/^PNG 512×256 sha256:[0-9a-f]{12}$/);
    expect(completion.choices[0]?.finish_reason).toBe('stop');
    expect(completion.usage?.total_tokens).toBe(
      (completion.usage?.prompt_tokens ?? 0) + (completion.usage?.completion_tokens ?? 0),
    );
    expect(completion._request_id).toMatch(/^req_/);
  });

  it('streams the same text, and the usage when asked', async () => {
    const image = createTestImage({ seed: 4 });
    const stream = await clientOf(server).chat.completions.create({
      ...chatBody(dataUrl(image)),
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let usage: unknown;
    let chunks = 0;
    for await (const chunk of stream) {
      chunks += 1;
      text += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe(describeImageFacts(image));
    expect(chunks).toBeGreaterThan(4);
    expect(usage).toMatchObject({ total_tokens: expect.any(Number) });
  });

  it('answers a packed request by its schema, each item with the id beside its image', async () => {
    const images = [1, 2, 3].map((seed) => createTestImage({ seed }));
    const ids = ['a7f3', 'k2p9', 'zz10'];
    const completion = await clientOf(server).chat.completions.create({
      model: 'gpt-4.1-mini',
      messages: [
        {
          role: 'user',
          content: images.flatMap((image, at) => [
            { type: 'text' as const, text: `Image id: ${ids[at]}` },
            { type: 'image_url' as const, image_url: { url: dataUrl(image), detail: 'low' as const } },
          ]),
        },
      ],
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'descriptions',
          strict: true,
          schema: PACK_SCHEMA,
        },
      },
    });
    expect(JSON.parse(completion.choices[0]?.message.content ?? '')).toEqual({
      items: images.map((image, at) => ({ id: ids[at], description: describeImageFacts(image) })),
    });
  });
});

describe('responses', () => {
  const input = (url: string) => [
    {
      role: 'user' as const,
      content: [
        { type: 'input_text' as const, text: 'Describe this image.' },
        { type: 'input_image' as const, image_url: url, detail: 'low' as const },
      ],
    },
  ];

  it('describes the image and counts its tokens', async () => {
    const image = createTestImage({ seed: 5 });
    const client = clientOf(server);
    const request = { model: 'gpt-4.1-mini', input: input(dataUrl(image)) };
    const response = await client.responses.create(request);
    expect(response.output_text).toBe(describeImageFacts(image));
    expect(response.status).toBe('completed');
    const counted = await client.responses.inputTokens.count(request);
    expect(counted.input_tokens).toBe(response.usage?.input_tokens);
  });

  it('streams the same text', async () => {
    const image = createTestImage({ seed: 6 });
    const stream = await clientOf(server).responses.create({
      model: 'gpt-4.1-mini',
      input: input(dataUrl(image)),
      stream: true,
    });
    let text = '';
    let last = '';
    const numbers: number[] = [];
    for await (const event of stream) {
      if (event.type === 'response.output_text.delta') text += event.delta;
      last = event.type;
      numbers.push(event.sequence_number);
    }
    expect(text).toBe(describeImageFacts(image));
    expect(last).toBe('response.completed');
    expect(numbers).toEqual(numbers.map((_, index) => index));
  });
});

describe('models', () => {
  it('lists them and gets one', async () => {
    const client = clientOf(server);
    const names: string[] = [];
    for await (const model of client.models.list()) names.push(model.id);
    expect(names).toContain('gpt-4.1-mini');
    expect(await client.models.retrieve('gpt-4o')).toMatchObject({ id: 'gpt-4o', object: 'model' });
    await expect(client.models.retrieve('gpt-none')).rejects.toMatchObject({ code: 'model_not_found' });
  });
});

describe('images by URL', () => {
  it('fetches them from a loopback address', async () => {
    const image = createTestImage({ seed: 9 });
    const host = createServer((_, response) => response.end(image)).listen(0, '127.0.0.1');
    await new Promise((resolve) => host.once('listening', resolve));
    const { port } = host.address() as AddressInfo;
    const completion = await clientOf(server).chat.completions.create(chatBody(`http://127.0.0.1:${port}/image`));
    expect(completion.choices[0]?.message.content).toBe(describeImageFacts(image));
    host.closeAllConnections();
    host.close();
  });

  it('never contacts another host', async () => {
    const { status, json } = await post(server, '/v1/chat/completions', chatBody('https://192.0.2.1/cat.png'));
    expect(status).toBe(400);
    expect(json.error).toMatchObject({ type: 'invalid_request_error', code: 'failed_to_download_image' });
  });
});

describe('what it saw', () => {
  it('counts requests, connections, images and billed tokens', async () => {
    const client = clientOf(server);
    const image = createTestImage({ seed: 11 });
    const hash = describeImageFacts(image).slice(-12);
    const first = await client.chat.completions.create(chatBody(dataUrl(image)));
    await client.chat.completions.create(chatBody(dataUrl(image)));
    await client.chat.completions.create(chatBody(imageUrl({ seed: 12 })));
    const stats = server.getStats();
    expect(stats).toMatchObject({
      requests: 3,
      requestsByEndpoint: { chat: 3, responses: 0, models: 0, other: 0 },
      answersByStatus: { 200: 3 },
      rateLimited: 0,
      mostInFlight: 1,
      requestsBilled: 3,
    });
    expect(stats.connections.opened + stats.connections.reused).toBe(3);
    expect(stats.images[hash]).toEqual({ requests: 2, billed: 2 });
    expect(stats.tokensBilled.total).toBe(3 * (first.usage?.total_tokens ?? 0));
    const seen = server.seen();
    expect(seen.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(seen[0]).toMatchObject({
      endpoint: 'chat',
      apiKey: 'sk-fake',
      model: 'gpt-4.1-mini',
      images: [hash],
      connection: 1,
      connectionRequest: 1,
      outcome: 'answered',
      status: 200,
      body: { model: 'gpt-4.1-mini' },
    });
    expect(JSON.stringify(seen.map(({ headers }) => headers))).not.toContain('sk-fake');
    server.reset();
    expect(server.getStats().requests).toBe(0);
    expect(server.seen()).toEqual([]);
  });
});

describe('connections', () => {
  it('are kept alive without a hint that the real API does not give', async () => {
    const { headers } = await post(server, '/v1/chat/completions', chatBody());
    expect(headers.get('connection')).toBe('keep-alive');
    expect(headers.get('keep-alive')).toBeNull();
    const closing = await post(server, '/v1/chat/completions', chatBody(), { connection: 'close' });
    expect(closing.headers.get('connection')).toBe('close');
  });
});

describe('outages', () => {
  it('break off what is being answered', async () => {
    server.setFaults([{ fault: { kind: 'hang' } }]);
    const call = clientOf(server).chat.completions.create(chatBody());
    const failed = expect(call).rejects.toThrow('Connection error');
    await expect.poll(() => server.getStats().inFlight).toBe(1);
    await server.stop();
    await failed;
    expect(server.seen()[0]).toMatchObject({ outcome: 'broken' });
    expect(server.getStats()).toMatchObject({ inFlight: 0, aborted: 0, connections: { open: 0 } });
  });

  it('take every order of stop and start', async () => {
    const client = clientOf(server);
    await client.chat.completions.create(chatBody());
    await Promise.all([server.stop(), server.stop(), server.start(), server.start()]);
    await Promise.all([server.restart(), server.start()]);
    await client.chat.completions.create(chatBody());
    await Promise.all([server.close(), server.stop(), server.close()]);
    expect(server.getStats().connections.open).toBe(0);
  });

  it('can not take the port of another', async () => {
    await expect(startFakeOpenAI({ port: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('do not end once it is closed', async () => {
    await server.close();
    await server.close();
    await expect(server.start()).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
  });

  it('refuses connections while stopped and comes back on the same port', async () => {
    const client = clientOf(server);
    await client.chat.completions.create(chatBody());
    const { port } = server;
    await server.stop();
    await expect(client.chat.completions.create(chatBody())).rejects.toThrow('Connection error');
    await server.start();
    expect(server.port).toBe(port);
    await client.chat.completions.create(chatBody());
    expect(server.getStats().connections.opened).toBe(2);
  });
});
