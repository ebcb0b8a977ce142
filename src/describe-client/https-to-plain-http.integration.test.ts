import { expect, it } from 'vitest';
import { createTestImage } from '../testing/index.ts';
import { createDescribeClient } from './create-describe-client.ts';
import { startRawServer } from './raw-server.fixture.ts';

it('says what to write in `baseURL` where https:// names the port of a plain HTTP server', async () => {
  const server = await startRawServer((_request, response) => response.end());
  const baseURL = `${server.origin.replace('http:', 'https:')}/v1`;
  const client = createDescribeClient({ apiKey: 'k', baseURL, retry: false });
  await expect(client.describe(createTestImage())).rejects.toMatchObject({
    code: 'DESCRIBE_UPSTREAM',
    message: expect.stringMatching(
      /^the connection to the API failed \((ERR_SSL_\w+|EPROTO)\)\. .*no TLS.*`http:\/\/`/,
    ),
  });
  await client.destroy();
  await server.close();
});
