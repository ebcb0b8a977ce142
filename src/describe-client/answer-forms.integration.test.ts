import { afterEach, describe, expect, it } from 'vitest';
import {
  badImage,
  completion,
  error,
  goodImage,
  inside,
  openClient,
  openPacks,
  openUrls,
  type RawAnswer,
  useAnswers,
} from './answers.fixture.ts';
import { closePublicPools, publicPool } from './public-api.fixture.ts';

// Before the disposables, so that it runs after them.
afterEach(closePublicPools);
const { start, disposables } = useAnswers();

const jsonSchema = { type: 'object', properties: { colour: { type: 'string' } } };
const RED = '{"colour":"red"}';
const text = (body: unknown, type: string | null = 'application/json'): RawAnswer => ({ body, type });
const said = (content: unknown, message: object = {}): RawAnswer =>
  text(completion(content, { message: { role: 'assistant', content, ...message } }));

describe('an answer in another form', () => {
  it.each<[string, RawAnswer]>([
    [
      'a list of parts',
      said([
        { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
        { type: 'text', text: 'A red ' },
        { type: 'text', text: 'square.' },
      ]),
    ],
    ['parts without types', said(['A red ', { text: 'square.' }])],
    ['one part', said({ type: 'text', text: 'A red square.' })],
    ['an empty refusal beside it', said('A red square.', { refusal: '' })],
    ['thoughts before it', said('<think>a square?\nred?</think>\n\nA red square.')],
    ['thoughts without a beginning', said('a square?</think>A red square.')],
    ['text/plain', text(JSON.stringify(completion('A red square.')), 'text/plain; charset=utf-8')],
    ['text/json', text(JSON.stringify(completion('A red square.')), 'text/json')],
    ['no type', text(JSON.stringify(completion('A red square.')), null)],
    [
      'a stream that nobody asked for',
      text(
        `data: ${JSON.stringify({ choices: [{ delta: { content: 'A red square.' }, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`,
        'text/event-stream',
      ),
    ],
    ['a byte order mark', text(`\ufeff${JSON.stringify(completion('A red square.'))}`)],
    ['a null error beside it', text({ ...completion('A red square.'), error: null })],
    ['an error beside it', text({ ...completion('A red square.'), error: { code: 502, message: 'late' } })],
  ])('is read: %s', async (_name, answer) => {
    const { server, client, counted } = await start(answer);
    expect(await client.describe({ image: badImage })).toMatchObject({
      description: 'A red square.',
      source: 'upstream',
    });
    expect(await client.describe({ image: badImage })).toMatchObject({ source: 'memory' });
    expect(server.bodies).toHaveLength(1);
    expect(counted()).toEqual([0]);
  });

  it.each([
    ['as it is', RED],
    ['in a fence', `\`\`\`json\n${RED}\n\`\`\``],
    ['in a fence without a language, with words around it', `Here it is:\n\`\`\`\n${RED}\n\`\`\`\nDone.`],
    ['in a fence on one line', `\`\`\`json ${RED}\`\`\``],
    ['after thoughts', `<think>{"colour":"blue"}</think>\n${RED}`],
    [
      'in parts',
      [
        { type: 'text', text: '{"colour":' },
        { type: 'text', text: '"red"}' },
      ],
    ],
  ])('gives its JSON: %s', async (_name, content) => {
    const { server, client } = await start(said(content));
    const schema = {
      name: 'cat',
      jsonSchema,
      parse: (value: unknown) => (value as { colour: string }).colour,
    };
    expect(await client.describe({ image: badImage, schema })).toMatchObject({
      data: 'red',
      description: RED,
    });
    expect(await client.describe({ image: badImage, schema })).toMatchObject({
      data: 'red',
      source: 'memory',
    });
    expect(server.bodies).toHaveLength(1);
  });

  it.each([
    ['in a fence', (json: string) => `\`\`\`json\n${json}\n\`\`\``],
    ['in parts after thoughts', (json: string) => [{ type: 'thinking' }, { type: 'text', text: json }]],
    ['without the object around the list', (json: string) => JSON.stringify(JSON.parse(json).items)],
  ])('is read for a whole pack: %s', async (_name, form) => {
    const server = await openPacks(form);
    const client = openClient({ baseURL: server.baseURL, batch: { batchSize: 3, maxBatchWaitMs: 5 } });
    disposables.push(server, client);
    const images = [1, 2, 3].map(goodImage);
    const results = await Promise.all(images.map((image) => client.describe({ image })));
    expect(results.map(({ description, explain }) => [description, explain.batchSize])).toEqual(
      images.map(() => ['fine', 3]),
    );
    expect(server.bodies).toHaveLength(1);
  });
});

describe('an image whose address the server can not load', () => {
  it.each<[string, RawAnswer]>([
    ['OpenAI', error(400, { code: 'invalid_image_url', message: 'Error while downloading the file.' })],
    ['OpenAI, a timeout', error(400, { code: 'invalid_value', param: 'url', message: 'Timeout while downloading x.' })],
    ['Azure', error(400, { code: 'BadRequest', message: 'Timeout while downloading the image URL.' })],
    ['Azure, a code', error(400, { code: 'InvalidImageURL', message: 'x' })],
    ['no code', error(400, { code: null, message: 'Failed to download image from the given URL: 403' })],
    ['vLLM', error(500, { code: 500, type: 'InternalServerError', message: 'Cannot connect to host images:80' })],
    ['vLLM, a status', error(400, { code: 400, message: "404, message='Not Found', url='https://images.example/a'" })],
    ['Ollama', { status: 400, body: { error: 'invalid image input' } }],
    [
      'Ollama, in words',
      {
        status: 400,
        body: { error: 'image URLs are not currently supported, please use base64 encoded data instead' },
      },
    ],
    ['FastAPI', { status: 422, body: { detail: 'Could not fetch image' } }],
    ['an error inside a 200', inside({ code: 400, message: 'Unable to download the media' })],
  ])('is sent as bytes, once: %s', async (_name, answer) => {
    const server = await openUrls(answer);
    const client = openClient({
      baseURL: server.baseURL,
      images: { allowHosts: ['127.0.0.1'] },
      pool: publicPool,
    });
    disposables.push(server, client);
    expect(await client.describe({ imageUrl: server.imageUrl })).toMatchObject({ description: 'fine' });
    expect(server.bodies.map((body) => /"url":"(\w+):/.exec(body)?.[1])).toEqual(['http', 'data']);
  });
});
