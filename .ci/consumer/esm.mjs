// A stranger's first program, as ESM: describes a photograph by way of the fake server and exits by itself.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDescribeClient, DescribeError } from '@describe-it/sdk';
import { describeImageFacts, startFakeOpenAI } from '@describe-it/sdk/testing';

const image = readFileSync(join(process.env.CONSUMER_IMAGES, 'coffee.png'));
const server = await startFakeOpenAI();
const client = createDescribeClient({ apiKey: server.apiKey, baseURL: server.baseURL });
const first = await client.describe(image);
assert.equal(first.description, describeImageFacts(image));
assert.equal(first.source, 'upstream');
assert.equal((await client.describe(image)).source, 'memory');
assert.match(await client.metrics(), /describe/);
await client.close();
await assert.rejects(client.describe(image), (error) => DescribeError.is(error, 'DESCRIBE_CLOSED'));
await server.close();
