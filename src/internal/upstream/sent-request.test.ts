import { describe, expect, it } from 'vitest';
import { requestSecrets } from './sent-request.ts';

describe('requestSecrets', () => {
  it('finds the texts and addresses of a chat request', () => {
    const request = {
      model: 'm',
      messages: [
        { role: 'system', content: 'be brief' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'what is it?' },
            { type: 'image_url', image_url: { url: 'https://a.example/1.png', detail: 'low' } },
            {
              type: 'image_url',
              image_url: {
                url: new (class Bytes {
                  text = 'no';
                })(),
                detail: 'low',
              },
            },
          ],
        },
      ],
    };
    expect(requestSecrets(request, ['sk-1', undefined])).toEqual({
      keys: ['sk-1'],
      texts: ['be brief', 'what is it?'],
      addresses: ['https://a.example/1.png'],
    });
  });

  it('finds those of a request in the form of the Responses API', () => {
    const request = {
      instructions: 'be brief',
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'what is it?' },
            { type: 'input_image', image_url: 'https://a.example/1.png' },
          ],
        },
      ],
    };
    expect(requestSecrets(request)).toEqual({
      keys: [],
      texts: ['what is it?', 'be brief'],
      addresses: ['https://a.example/1.png'],
    });
  });

  it('ends on a circle', () => {
    const content: unknown[] = [];
    content.push(content);
    expect(requestSecrets({ messages: [{ content }] })).toEqual({ keys: [], texts: [], addresses: [] });
  });
});
