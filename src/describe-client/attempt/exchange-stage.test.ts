import type { ChatCompletion } from 'openai/resources/chat/completions';
import { describe, expect, it } from 'vitest';
import { usageOf } from '../../batch-processor/packs/answer.ts';
import { answerReport } from './exchange-stage.ts';

const address = 'https://api.example/v1';
const reportOf = (completion: unknown, headers: unknown = {}) =>
  answerReport(300, usageOf(completion as ChatCompletion), headers, address);

describe('answerReport', () => {
  it('counts the larger of the prompt and the bound of the answer, as the limit does', () => {
    const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };
    expect(reportOf({ usage })).toMatchObject({ chargedTokens: 300, outputTokens: 20 });
    expect(reportOf({ usage: { ...usage, prompt_tokens: 900 } })).toMatchObject({ chargedTokens: 900 });
  });

  it.each([undefined, null, '', 'text', 7, [], {}, { usage: null }, { usage: 'x' }, { usage: { prompt_tokens: '9' } }])(
    'says nothing of tokens where the answer is %j',
    (completion) => {
      expect(reportOf(completion)).toMatchObject({ chargedTokens: undefined, outputTokens: undefined });
    },
  );

  it('names an organisation with its project and the address where it has its limits', () => {
    const headers = { 'openai-organization': 'org-1', 'openai-project': 'proj_1' };
    expect(reportOf({}, headers).organization).toBe('https://api.example/v1 org-1 proj_1');
    expect(reportOf({}, { 'openai-organization': 'org-1' }).organization).toBe('https://api.example/v1 org-1');
    expect(reportOf({}, {}).organization).toBeUndefined();
  });
});
