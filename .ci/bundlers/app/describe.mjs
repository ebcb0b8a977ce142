// The app that each bundler bundles. It describes an image by a server that the check starts, and stores the
// description in Redis when one is named.
import { createDescribeClient, DescribeError } from '@describe-it/sdk';

const { CHECK_API, CHECK_KEY, CHECK_REDIS } = process.env;
const image = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

async function main() {
  const client = createDescribeClient({
    apiKey: CHECK_KEY,
    baseURL: CHECK_API,
    ...(CHECK_REDIS !== undefined && { redis: { url: CHECK_REDIS } }),
  });
  const { description } = await client.describe({ image });
  const metrics = await client.metrics();
  const refused = await client.describe({ image: Buffer.from('no image') }).catch((error) => error);
  await client.close();
  const isNamed = DescribeError.is(refused) && refused.name === 'ImageError';
  console.log(metrics.includes('describe_it_') && isNamed ? description : `${metrics.length} ${refused.name}`);
}

main();
