/** A message to other processes, sent once Redis has the change. Holds names, never values. */
export interface BusMessage {
  readonly source: string;
  readonly action: /** These keys were written or deleted. */
    | 'keys'
    /** These tags were invalidated. */
    | 'tags'
    /** The work on these keys ended without a value. */
    | 'released';
  readonly names: readonly string[];
}

const LONGEST_TEXT = 4 * 1024 * 1024;

export const encodeMessage = ({ source, action, names }: BusMessage): string =>
  JSON.stringify([source, action, ...names]);

/** Reads a message; `undefined` for any other text on the channel. */
export function decodeMessage(text: string): BusMessage | undefined {
  if (text.length > LONGEST_TEXT) return undefined;
  try {
    const fields: unknown = JSON.parse(text);
    if (!Array.isArray(fields) || !fields.every((field) => typeof field === 'string')) return undefined;
    const [source = '', action, ...names] = fields as string[];
    if (action !== 'keys' && action !== 'tags' && action !== 'released') return undefined;
    return { source, action, names };
  } catch {
    return undefined;
  }
}
