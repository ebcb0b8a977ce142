import type { VisionChatCompletion } from './vision-target.ts';

const MAX_LENGTH = 256;

/** The model as the API names it; the one that was asked for where it names none, or something too long to be one. */
export function answeredModel({ model }: VisionChatCompletion, asked: string): string {
  const named: unknown = model;
  return typeof named === 'string' && named !== '' && named.length <= MAX_LENGTH ? named : asked;
}
