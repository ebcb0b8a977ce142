import { describe, expect, it } from 'vitest';
import { addressIssues, apiAddress } from './api-address.ts';

const AZURE = 'https://acme.openai.azure.com';
const FOUNDRY = 'https://acme.services.ai.azure.com';
const VERSION = '2024-10-21';

describe('an address of the API', () => {
  it.each<[string, string | undefined, object]>([
    ['https://api.openai.com/v1', undefined, { baseURL: 'https://api.openai.com/v1', isAzure: false }],
    ['http://127.0.0.1:8000/v1/', undefined, { baseURL: 'http://127.0.0.1:8000/v1', isAzure: false }],
    ['https://api.openai.com/v1/chat/completions', undefined, { baseURL: 'https://api.openai.com/v1' }],
    ['http://localhost:11434', undefined, { baseURL: 'http://localhost:11434', isAzure: false }],
    [AZURE, VERSION, { baseURL: `${AZURE}/openai`, deploymentsVersion: VERSION }],
    [`${AZURE}/`, VERSION, { baseURL: `${AZURE}/openai`, deploymentsVersion: VERSION }],
    [`${AZURE}/openai`, VERSION, { baseURL: `${AZURE}/openai`, deploymentsVersion: VERSION }],
    [`${AZURE}/openai/?api-version=${VERSION}`, undefined, { deploymentsVersion: VERSION }],
    [AZURE, undefined, { baseURL: `${AZURE}/openai/v1`, deploymentsVersion: undefined, isAzure: true }],
    [`${AZURE}/openai`, undefined, { baseURL: `${AZURE}/openai/v1`, isAzure: true }],
    [`${AZURE}/openai/v1/`, undefined, { baseURL: `${AZURE}/openai/v1`, queryVersion: undefined, isAzure: true }],
    [`${AZURE}/openai/v1?api-version=preview`, undefined, { baseURL: `${AZURE}/openai/v1`, queryVersion: 'preview' }],
    [`${AZURE}/openai/v1/chat/completions`, 'preview', { baseURL: `${AZURE}/openai/v1`, queryVersion: 'preview' }],
    [
      `${AZURE}/openai/deployments/dep/chat/completions?api-version=${VERSION}`,
      VERSION,
      { baseURL: `${AZURE}/openai/deployments/dep`, deploymentsVersion: VERSION },
    ],
    [
      `${AZURE}/openai/responses?api-version=2025-04-01-preview`,
      undefined,
      { baseURL: `${AZURE}/openai`, deploymentsVersion: '2025-04-01-preview' },
    ],
    [`${AZURE}/v1`, undefined, { baseURL: `${AZURE}/openai/v1`, isAzure: true }],
    [`${AZURE}//openai//v1/`, undefined, { baseURL: `${AZURE}/openai/v1`, isAzure: true }],
    [`${AZURE}/openai/deployments/`, VERSION, { baseURL: `${AZURE}/openai`, deploymentsVersion: VERSION }],
    [`${FOUNDRY}`, undefined, { baseURL: `${FOUNDRY}/openai/v1` }],
    [
      `${FOUNDRY}/models/chat/completions?api-version=2024-05-01-preview`,
      undefined,
      { baseURL: `${FOUNDRY}/models`, queryVersion: '2024-05-01-preview', deploymentsVersion: undefined },
    ],
    ['https://gateway.example/v1', VERSION, { baseURL: 'https://gateway.example/v1', deploymentsVersion: VERSION }],
    [`https://gateway.example/v1?api-version=${VERSION}`, undefined, { queryVersion: VERSION, isAzure: true }],
    ['https://acme.azure-api.net/ai/openai', VERSION, { baseURL: 'https://acme.azure-api.net/ai/openai' }],
  ])('%s with %s is understood', (baseURL, apiVersion, expected) => {
    expect(addressIssues(baseURL, apiVersion, 'baseURL')).toEqual([]);
    expect(apiAddress(baseURL, apiVersion)).toMatchObject(expected);
  });

  it.each<[string, string | undefined, string]>([
    [`${AZURE}/openai/deployments/dep`, undefined, "an apiVersion beside a deployment, such as '2024-10-21'"],
    [`${AZURE}/openai/v1`, VERSION, `or ${AZURE} with apiVersion "2024-10-21"`],
    [`${AZURE}?api-version=2024-06-01`, VERSION, 'one api-version'],
    [`${FOUNDRY}/api/projects/p`, undefined, `${FOUNDRY}/openai/v1`],
    [`${FOUNDRY}/models`, undefined, 'an apiVersion'],
    ['https://ai.azure.com/resource/deployments?wsid=x', undefined, 'pass headers'],
    ['https://oai.azure.com/portal', undefined, 'https://NAME.openai.azure.com'],
    ['https://api.example/v1?key=secret', undefined, "nothing but Azure's api-version"],
  ])('%s with %s is refused with the right form', (baseURL, apiVersion, expected) => {
    const issues = addressIssues(baseURL, apiVersion, 'baseURL');
    expect(issues).toMatchObject([{ option: 'baseURL', expected: expect.stringContaining(expected) }]);
    expect(JSON.stringify(issues)).not.toContain('secret');
  });
});
