import { propertyOf } from '../../internal/property-of.ts';

/** The parts of an error that classify it without its message. */
export interface ErrorKind {
  readonly name: string;
  readonly code?: string;
}

/** The kind of a thrown value. */
export function kindOf(error: unknown): ErrorKind {
  if (typeof error !== 'object' || error === null) return { name: typeof error };
  const name = propertyOf(error, 'name');
  const code = propertyOf(error, 'code');
  const kind = { name: typeof name === 'string' ? name : 'object' };
  return typeof code === 'string' ? { ...kind, code } : kind;
}
