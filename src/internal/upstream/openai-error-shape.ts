import { propertyOf } from '../property-of.ts';

/**
 * Tells whether a call of the openai client (6 and 7) ended without an answer: by a failed connection, a timeout or an
 * abort. Recognised by fields that only this client sets together, and not by class. A bundle may hold several copies
 * of the classes, a minifier renames them, and `error.name` is a plain `Error`.
 */
export const isUnansweredCall = (error: unknown): boolean =>
  FIELDS.every((field) => hasOwn(error, field) && propertyOf(error, field) === undefined);

/** Tells whether the signal of a call of the openai client was aborted. Only the message tells it. */
export const isAbortedCall = (error: unknown): boolean =>
  propertyOf(error, 'message') === 'Request was aborted.' && isUnansweredCall(error);

/** Set by every error of the client, and undefined when there was no answer. */
const FIELDS = ['status', 'headers', 'requestID', 'error'] as const;

function hasOwn(error: unknown, field: string): boolean {
  try {
    return typeof error === 'object' && error !== null && Object.hasOwn(error, field);
  } catch {
    return false;
  }
}
