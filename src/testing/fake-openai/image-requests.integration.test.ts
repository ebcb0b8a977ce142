import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startFakeOpenAI } from './fake-openai.ts';
import { base, CHAT, image, input, RESPONSES, user, useStrictFake } from './strict-fake.fixture.ts';
import { dataUrl, imageUrl, post } from './test-clients.ts';
import { createTestImage } from './test-image.ts';

const server = useStrictFake();
const png = createTestImage();

describe('images that are wrong', () => {
  const rows: [string, string, string][] = [
    ['no data', 'data:image/png;base64,', 'empty_image_file'],
    ['no base64', 'data:image/png;base64,!!!!', 'invalid_base64_image'],
    ['a data URL without base64', 'data:image/png,abc', 'invalid_base64_image'],
    ['another media type', dataUrl(png, 'text/plain'), 'unsupported_image_media_type'],
    ['bytes of no image', dataUrl(Buffer.from('just a text')), 'invalid_image_format'],
    ['a truncated image', dataUrl(png.subarray(0, 60)), 'image_parse_error'],
    ['too large a file', dataUrl(Buffer.alloc(100_001, 1)), 'image_file_too_large'],
    ['no URL', 'cat.png', 'invalid_image_url'],
    ['another scheme', 'ftp://127.0.0.1/cat.png', 'invalid_image_url'],
    ['a private host', 'http://10.0.0.1/cat.png', 'failed_to_download_image'],
    ['a name that only looks like loopback', 'http://127.0.0.1.example.com/cat.png', 'failed_to_download_image'],
    ['a closed port', 'http://127.0.0.1:1/cat.png', 'failed_to_download_image'],
  ];

  it.each(rows)('%s', async (_, url, code) => {
    const answer = await post(server(), CHAT, { ...base, ...image(url) });
    expect(answer.status).toBe(400);
    expect(answer.json.error).toMatchObject({ type: 'invalid_request_error', code });
    const response = await post(server(), RESPONSES, input({ type: 'input_image', image_url: url, detail: 'low' }));
    expect(response.status).toBe(400);
    expect(response.json.error).toMatchObject({ code });
  });

  it('fails a download that is too slow, too large or not there', async () => {
    const patient = await startFakeOpenAI({ imageTimeoutMs: 40, maxImageBytes: 1000 });
    const host = createServer((incoming, response) => {
      if (incoming.url === '/slow') return;
      if (incoming.url === '/large') response.end(Buffer.alloc(5000));
      else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => host.once('listening', resolve));
    const at = (path: string) => `http://localhost:${(host.address() as AddressInfo).port}${path}`;
    const errorOf = async (path: string) => (await post(patient, CHAT, { ...base, ...image(at(path)) })).json.error;
    expect(await errorOf('/slow')).toMatchObject({
      code: 'invalid_value',
      param: 'url',
      message: expect.stringContaining('Timeout while downloading'),
    });
    expect(await errorOf('/large')).toMatchObject({ code: 'image_file_too_large' });
    expect(await errorOf('/none')).toMatchObject({ code: 'failed_to_download_image' });
    host.closeAllConnections();
    host.close();
    await patient.close();
  });

  it('turns down one with too many patches, where its detail keeps them', async () => {
    const vast = Buffer.from(png);
    vast.writeUInt32BE(7952, 16);
    vast.writeUInt32BE(5304, 20);
    const ask = (detail: string) =>
      post(server(), CHAT, { ...base, model: 'gpt-5.6-sol', ...image(dataUrl(vast), { detail }) });
    expect((await ask('auto')).json.error).toMatchObject({
      message: expect.stringContaining('requires 41334 patches'),
      param: 'messages',
      code: 'invalid_value',
    });
    expect((await ask('high')).status).toBe(200);
  });

  it('turns down too many', async () => {
    const parts = Array.from({ length: 4 }, () => ({ type: 'image_url', image_url: { url: imageUrl() } }));
    expect((await post(server(), CHAT, { ...base, ...user(...parts) })).json.error?.message).toContain(
      'Too many images',
    );
  });
});
