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

/** A text beyond this is judged by samples: reading 20 MB of it would hold the event loop for a quarter of a second. */
const WHOLE_CHARACTERS = 65_536;
const SAMPLES = 64;
const SAMPLE_CHARACTERS = WHOLE_CHARACTERS / SAMPLES;

/** Tokens of a text by its length and scripts: within some tenths of the truth, without a tokenizer's megabytes. */
export function estimateTextTokens(text: string): number {
  if (text.length <= WHOLE_CHARACTERS) return Math.ceil(weigh(text));
  const step = (text.length - SAMPLE_CHARACTERS) / (SAMPLES - 1);
  let tokens = 0;
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const start = Math.floor(sample * step);
    tokens += weigh(text.slice(start, start + SAMPLE_CHARACTERS));
  }
  return Math.ceil((tokens * text.length) / WHOLE_CHARACTERS);
}

function weigh(text: string): number {
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
  return tokens;
}

/** Tokens around that many messages. */
export const framingTokens = (messages: number): number => messages * TOKENS_PER_MESSAGE + TOKENS_OF_PRIMING;
