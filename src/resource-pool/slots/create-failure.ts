import { causeWords } from '../../internal/upstream/cause-words.ts';

/** Why a resource could not be made. */
export interface CreateFailure {
  /** What `factory.create` threw. */
  readonly cause: unknown;
  /** The same in words for a message, made once: many who wait may be told of it. */
  readonly said: string;
}

export function createFailure(cause: unknown): CreateFailure {
  const words = causeWords(cause);
  return { cause, said: `factory.create failed${words === undefined ? '' : `: ${words}`}` };
}
