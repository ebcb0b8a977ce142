import { expect, it } from 'vitest';
import { answeredModel } from './answered-model.ts';
import type { VisionChatCompletion } from './vision-target.ts';

it.each([
  ['gpt-4.1-mini-2025-04-14', 'gpt-4.1-mini-2025-04-14'],
  ['m'.repeat(256), 'm'.repeat(256)],
  ['m'.repeat(257), 'asked'],
  ['', 'asked'],
  [null, 'asked'],
  [5, 'asked'],
])('the model of an answer that names %j is %j', (model, expected) => {
  expect(answeredModel({ model } as unknown as VisionChatCompletion, 'asked')).toBe(expected);
});
