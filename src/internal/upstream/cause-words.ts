import { propertyOf } from '../property-of.ts';
import { serverReason } from './server-reason.ts';

/** Greatest length of a cause in another error's message, in characters. */
const MAX_LENGTH = 200;
/** Depth of the chain of causes: `fetch failed` says nothing without its own cause. */
const MAX_DEPTH = 4;

/**
 * Joins the messages of a cause and of its own causes, for the message of an error: one line, at most 200 characters.
 * Keys, data URLs, base64, and the credentials and queries of addresses are removed. Undefined where there is no
 * message.
 */
export function causeWords(cause: unknown): string | undefined {
  const words: string[] = [];
  let current = cause;
  for (let depth = 0; depth < MAX_DEPTH && current !== undefined && current !== null; depth += 1) {
    const own = ownWords(current);
    if (own !== undefined && !words.some((earlier) => earlier.includes(own))) words.push(own);
    current = causeOf(current);
  }
  const reason = serverReason(words.join(': '), {});
  return reason === undefined || reason.length <= MAX_LENGTH ? reason : `${reason.slice(0, MAX_LENGTH - 1)}…`;
}

function ownWords(thrown: unknown): string | undefined {
  if (typeof thrown === 'string') return thrown;
  return [propertyOf(thrown, 'message'), propertyOf(thrown, 'code')].find(
    (word): word is string => typeof word === 'string' && word !== '',
  );
}

/** Node lists the reasons why no address of a host answers only in `errors`. */
function causeOf(thrown: unknown): unknown {
  const errors = propertyOf(thrown, 'errors');
  return propertyOf(thrown, 'cause') ?? (Array.isArray(errors) ? errors[0] : undefined);
}
