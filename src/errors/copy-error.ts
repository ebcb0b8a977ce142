import type { DescribeError } from './describe-error.ts';

/** An error like the other in everything but `explain`; a real one, as `Error.isError` and debuggers want it. */
export function copyError(error: DescribeError): DescribeError {
  const copy: object = Object.setPrototypeOf(new Error(error.message), Object.getPrototypeOf(error));
  for (const name of Reflect.ownKeys(error)) {
    if (name === 'explain' || name === 'stack') continue;
    const property = Object.getOwnPropertyDescriptor(error, name);
    if (property !== undefined) Object.defineProperty(copy, name, property);
  }
  // Where the failure was, not where it was copied; read, for what is behind the property differs between engines.
  const stack = { value: error.stack, writable: true, configurable: true };
  return Object.defineProperty(copy, 'stack', stack) as DescribeError;
}

/** What a failed call was billed. */
export type Billed = Pick<DescribeError, 'usage' | 'costUsd'>;

/** Puts on an error what its call was billed, and nothing of what another one was. */
export function setBilled(error: DescribeError, billed: Billed): void {
  for (const name of ['usage', 'costUsd'] as const) {
    const value = billed[name];
    if (value !== undefined) {
      Object.defineProperty(error, name, { value, enumerable: true, configurable: true, writable: true });
    } else if (Object.hasOwn(error, name)) {
      Reflect.deleteProperty(error, name);
    }
  }
}
