import { propertyOf } from '../property-of.ts';

/**
 * Tells whether an error says that a call of the openai client (6 and 7) ended without an answer: the connection
 * failed, a timeout passed, or its signal was aborted. Recognised by the fields that only this client sets together,
 * for a bundler may hold several copies of its classes and a minifier renames them; `error.name` is a plain `Error`.
 */
export const isUnansweredCall = (error: unknown): boolean =>
  FIELDS.every((field) => hasOwn(error, field) && propertyOf(error, field) === undefined);

/**
 * Tells whether the signal of a call of the openai client was aborted. Only the message differs from other failures.
 */
export const isAbortedCall = (error: unknown): boolean =>
  propertyOf(error, 'message') === 'Request was aborted.' && isUnansweredCall(error);

/** All are set by each error of the client; the first four are undefined when there was no answer. */
const FIELDS = ['status', 'headers', 'requestID', 'error'] as const;

function hasOwn(error: unknown, field: string): boolean {
  try {
    return typeof error === 'object' && error !== null && Object.hasOwn(error, field);
  } catch {
    return false;
  }
}
