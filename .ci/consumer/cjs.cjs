// The same as CommonJS.
const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { createDescribeClient } = require('@describe-it/sdk');
const { describeImageFacts, startFakeOpenAI } = require('@describe-it/sdk/testing');

async function main() {
  const image = readFileSync(join(process.env.CONSUMER_IMAGES, 'rocket.jpg'));
  const server = await startFakeOpenAI();
  const client = createDescribeClient({ apiKey: server.apiKey, baseURL: server.baseURL });
  const { description } = await client.describe({ image, prompt: 'What is it?' });
  assert.equal(description, describeImageFacts(image));
  await client.close();
  await server.close();
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
