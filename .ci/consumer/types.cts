import sdk = require('@describe-it/sdk');

export const client: sdk.DescribeClient = sdk.createDescribeClient({ apiKey: 'k' });
export const breaker = sdk.createCircuitBreaker('name', async (text: string) => text.length);
