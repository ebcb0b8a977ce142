/** One server-sent event; Responses name theirs, chat doesn't. */
export function sseEvent(data: object, event?: string): string {
  const name = event === undefined ? '' : `event: ${event}\n`;
  return `${name}data: ${JSON.stringify(data)}\n\n`;
}

/** Splits a text into pieces of about a token, after spaces and commas. Joined they are the text again. */
export const splitForStream = (text: string): readonly string[] => text.match(/[^\s,]*[\s,]+|[^\s,]+/g) ?? [];

const PADDED_LENGTH = 16;

/** The API pads each delta, so that the length of an event says nothing of its text. */
export const obfuscation = (delta: string, isWanted: boolean): { readonly obfuscation?: string } =>
  isWanted ? { obfuscation: 'x'.repeat(PADDED_LENGTH - (delta.length % PADDED_LENGTH)) } : {};
