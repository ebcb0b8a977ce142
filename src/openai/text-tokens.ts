/** OpenAI's rule of thumb for English. */
const LATIN_CHARACTERS_PER_TOKEN = 4;
/** Scripts of Asia and emoji take about a token a character. */
const WIDE_CHARACTERS_PER_TOKEN = 1;
/** Other letters, such as Cyrillic or Arabic, take about a token for two. */
const OTHER_CHARACTERS_PER_TOKEN = 2;

const FIRST_NON_LATIN = 0x250;
const FIRST_WIDE = 0x2e80;

/** What frames each message, and what primes the answer (OpenAI's cookbook, counting tokens for chat). */
const TOKENS_PER_MESSAGE = 3;
const TOKENS_OF_PRIMING = 3;

/** Tokens of a text by its length and scripts: within some tenths of the truth, without a tokenizer's megabytes. */
export function estimateTextTokens(text: string): number {
  let tokens = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const perToken =
      code < FIRST_NON_LATIN
        ? LATIN_CHARACTERS_PER_TOKEN
        : code < FIRST_WIDE
          ? OTHER_CHARACTERS_PER_TOKEN
          : WIDE_CHARACTERS_PER_TOKEN;
    tokens += 1 / perToken;
  }
  return Math.ceil(tokens);
}

/** Tokens around that many messages. */
export const framingTokens = (messages: number): number => messages * TOKENS_PER_MESSAGE + TOKENS_OF_PRIMING;
