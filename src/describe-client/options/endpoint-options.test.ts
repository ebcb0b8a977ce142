import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../errors/config-error.ts';
import { createDescribeClient } from '../create-describe-client.ts';
import { accountName, type EndpointOptions, namedEndpoints, quotaGroupNames } from './endpoint-options.ts';

const groupsOf = (endpoints: readonly EndpointOptions[]) => quotaGroupNames(namedEndpoints(endpoints));

const wrongOptions = (options: object): readonly string[] => {
  try {
    createDescribeClient(options);
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.map(({ option }) => option);
  }
  return [];
};

describe('quotaGroupNames', () => {
  it('makes one group of the keys of one organisation and project at one address', () => {
    expect(
      groupsOf([
        { apiKey: 'sk-1', organization: 'org-a', project: 'p' },
        { apiKey: 'sk-2', organization: 'org-a', project: 'p' },
        { apiKey: 'sk-3', organization: 'org-a', project: 'q' },
        { apiKey: 'sk-4', organization: 'org-a', project: 'p', baseURL: 'https://eu.example/v1' },
      ]),
    ).toEqual(['endpoint-1', 'endpoint-1', 'endpoint-3', 'endpoint-4']);
  });

  it('makes one group of equal keys, and leaves open whose the others are', () => {
    expect(groupsOf([{ apiKey: 'sk-1', model: 'a' }, { apiKey: 'sk-1', model: 'b' }, { apiKey: 'sk-2' }])).toEqual([
      'endpoint-1',
      'endpoint-1',
      undefined,
    ]);
  });
});

describe('one account', () => {
  const spellings = [
    undefined,
    'https://api.openai.com/v1',
    'https://api.openai.com/v1/',
    'https://API.openai.com:443/v1//',
  ];

  it('has one name, and its keys one group, however its address is written', () => {
    const endpoints = spellings.map((baseURL) => ({ apiKey: 'sk-1', baseURL }));
    expect(new Set(namedEndpoints(endpoints).map((endpoint) => accountName(endpoint))).size).toBe(1);
    expect(new Set(groupsOf(endpoints))).toEqual(new Set(['endpoint-1']));
  });

  it('has another name at another address, and with another key, and tells neither', () => {
    const names = namedEndpoints([
      { apiKey: 'sk-1' },
      { apiKey: 'sk-2' },
      { apiKey: 'sk-1', baseURL: 'https://eu.api.openai.com/v1' },
      { apiKey: 'sk-1', baseURL: 'https://api.openai.com/v1/other' },
    ]).map((endpoint) => accountName(endpoint));
    expect(new Set(names).size).toBe(4);
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('an endpoint with limits of its own', () => {
  it('keeps them, whatever its answers say of its organisation', () => {
    expect(
      groupsOf([
        { apiKey: 'sk-1' },
        { apiKey: 'sk-2', limits: { requestsPerMinute: 500 } },
        { apiKey: 'sk-3', limits: { maxConcurrency: 5 } },
      ]),
    ).toEqual([undefined, 'endpoint-2', undefined]);
  });
});

describe('endpoints', () => {
  it('are checked one by one, their names too', () => {
    expect(wrongOptions({ endpoints: [] })).toEqual(['endpoints']);
    expect(
      wrongOptions({
        endpoints: [{ apiKey: 'a' }, { apiKey: 'b', baseURL: 'ftp://x', weight: 0, limits: { processes: 2 } }],
      }),
    ).toEqual(['endpoints[1].baseURL', 'endpoints[1].weight', 'endpoints[1].limits.processes']);
    expect(
      wrongOptions({
        endpoints: [
          { apiKey: 'a', name: 'x' },
          { apiKey: 'b', name: 'x' },
        ],
      }),
    ).toEqual(['endpoints[1].name']);
  });

  it('stand in place of apiKey and baseURL, not beside them', () => {
    expect(wrongOptions({ apiKey: 'sk', endpoints: [{ apiKey: 'sk-1' }] })).toEqual(['apiKey']);
    expect(wrongOptions({ baseURL: 'https://x.example', endpoints: [{ apiKey: 'sk-1' }] })).toEqual(['baseURL']);
  });

  it('never shows a key', () => {
    const endpoints = [{ apiKey: 'sk-hunter2', weight: -1 }, { apiKey: 'sk hunter2' }];
    expect(() => createDescribeClient({ endpoints })).toThrow(ConfigError);
    try {
      createDescribeClient({ endpoints });
    } catch (error) {
      expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
    }
  });
});
