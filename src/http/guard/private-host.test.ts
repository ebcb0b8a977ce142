import { describe, expect, it } from 'vitest';
import { isPrivateServer, isThisMachine } from './private-host.ts';

describe('isPrivateServer', () => {
  it.each([
    'http://127.0.0.1:8000/v1',
    'http://127.1/v1',
    'http://2130706433/v1',
    'http://10.1.2.3/v1',
    'http://172.31.0.1/v1',
    'http://192.168.0.10:11434/v1',
    'http://169.254.1.1/v1',
    'http://100.64.0.1/v1',
    'http://0.0.0.0:8000/v1',
    'http://[::1]:8000/v1',
    'http://[fd00::1]/v1',
    'http://[fe80::1]/v1',
    'http://[::ffff:10.0.0.1]/v1',
    'http://localhost:11434/v1',
    'http://LOCALHOST./v1',
    'http://vllm:8000/v1',
    'http://gpu.local/v1',
    'https://llm.internal/v1',
    'http://vllm.models.svc/v1',
    'http://vllm.models.svc.cluster.local:8000/v1',
    'http://host.docker.internal:11434/v1',
    'https://llm.corp/v1',
    'http://nas.home.arpa/v1',
  ])('tells a server of the own network: %s', (url) => {
    expect(isPrivateServer(url)).toBe(true);
  });

  it.each([
    'https://api.openai.com/v1',
    'https://my-resource.openai.azure.com/openai',
    'https://openrouter.ai/api/v1',
    'http://8.8.8.8/v1',
    'http://172.32.0.1/v1',
    'http://[2606:4700::1111]/v1',
    'https://local.example.com/v1',
    'https://internal.example.com/v1',
  ])('from a public one: %s', (url) => {
    expect(isPrivateServer(url)).toBe(false);
  });
});

describe('isThisMachine', () => {
  it.each(['http://127.0.0.1:8000/v1', 'http://127.1/v1', 'http://localhost:1/v1', 'http://[::1]:1/v1'])(
    'tells %s',
    (url) => {
      expect(isThisMachine(url)).toBe(true);
    },
  );

  it.each(['http://10.0.0.1/v1', 'http://127.example.com/v1', 'http://vllm:8000/v1', 'https://api.openai.com/v1'])(
    'from %s',
    (url) => {
      expect(isThisMachine(url)).toBe(false);
    },
  );
});
