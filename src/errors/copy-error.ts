import { cutAnswerOf, keepCutAnswer } from './cut-answer.ts';
import type { DescribeError } from './describe-error.ts';

/** Copies an error without its `explain`. The copy is a real error, as `Error.isError` and debuggers expect. */
export function copyError(error: DescribeError): DescribeError {
  const copy: object = Object.setPrototypeOf(new Error(error.message), Object.getPrototypeOf(error));
  for (const name of Reflect.ownKeys(error)) {
    if (name === 'explain' || name === 'stack') continue;
    const property = Object.getOwnPropertyDescriptor(error, name);
    if (property !== undefined) Object.defineProperty(copy, name, property);
  }
  // The stack of the failure, not of the copy. Defined as a value, because engines differ in the kind of the property.
  const stack = { value: error.stack, writable: true, configurable: true };
  const copied = Object.defineProperty(copy, 'stack', stack) as DescribeError;
  const cut = cutAnswerOf(error);
  if (cut !== undefined) keepCutAnswer(copied, cut);
  return copied;
}

/** The bill of a failed call. */
export type Billed = Pick<DescribeError, 'usage' | 'costUsd'>;

/** Puts the bill of its call on an error, in place of any other bill. */
export function setBilled(error: DescribeError, billed: Billed): void {
  for (const name of ['usage', 'costUsd'] as const) {
    const value = billed[name];
    if (value === undefined) Reflect.deleteProperty(error, name);
    else Object.defineProperty(error, name, { value, enumerable: true, configurable: true, writable: true });
  }
}
