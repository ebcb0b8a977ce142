import { definedOf } from '../options/defined-of.ts';

/** The contents of an error's body, in one form. Its texts are cut, but not cleaned of secrets. */
export interface ErrorBody {
  /** The server's own code: a short word, or a number as text. */
  readonly code?: string;
  /** The code of a nested error, such as Azure's `innererror.code`. It is often more exact. */
  readonly innerCode?: string;
  readonly type?: string;
  readonly param?: string;
  /** The HTTP status that the body names, from 400 to 599. */
  readonly status?: number;
  /** At most 2,000 characters. */
  readonly message?: string;
  /** Whether the error lists why the input was flagged. The flagged text is never read. */
  readonly isModeration?: boolean;
}

/** Messages are cut before any pattern sees them: a pattern may take quadratic time. */
const MAX_MESSAGE_LENGTH = 2_000;
/** Bounds of the search: depth of nested errors, and entries of a list of errors. */
const MAX_DEPTH = 4;
const MAX_LISTED = 5;
/** Longest nested text of JSON that is parsed. */
const MAX_RAW_LENGTH = 20_000;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the error of a parsed body: `{ error: {…} }`, `{ error: 'text' }`, `{ detail }`, `{ message }`,
 * `{ errors: […] }`, a list of these, or the error itself. Reads own fields of plain objects only. Undefined where
 * there is no error.
 */
export function errorBodyOf(body: unknown): ErrorBody | undefined {
  return read(body, MAX_DEPTH);
}

function read(body: unknown, depth: number): ErrorBody | undefined {
  if (depth === 0) return undefined;
  if (Array.isArray(body)) return innerError(body[0], depth);
  const fields = plainOf(body);
  if (fields === undefined) return undefined;
  const inner = innerError(ownOf(fields, 'error'), depth) ?? innerError(ownOf(fields, 'errors'), depth);
  const own = ownError(fields, depth);
  const merged = { ...own, ...inner };
  return Object.keys(merged).length === 0 ? undefined : merged;
}

function innerError(value: unknown, depth: number): ErrorBody | undefined {
  const text = textOf(value);
  return text === undefined ? read(value, depth - 1) : { message: text };
}

function ownError(fields: Fields, depth: number): ErrorBody {
  const code = codeOf(ownOf(fields, 'code'));
  const provider = providerError(fields);
  const azure = plainOf(ownOf(fields, 'innererror') ?? ownOf(fields, 'inner_error'));
  const innerCode = codeOf(ownOf(azure, 'code')) ?? provider?.code ?? provider?.type;
  // Google gives the kind of an error as `status`.
  const type = codeOf(ownOf(fields, 'type')) ?? wordOf(ownOf(fields, 'status'));
  const param = codeOf(ownOf(fields, 'param'));
  const status = statusOf(fields);
  const message = joined(messageOf(fields, depth), provider?.message);
  return definedOf({ code, innerCode, type, param, status, message, isModeration: isModeration(fields) || undefined });
}

/** The provider's own error, which OpenRouter passes on as text. */
function providerError(fields: Fields): ErrorBody | undefined {
  const raw = ownOf(plainOf(ownOf(fields, 'metadata')), 'raw');
  if (typeof raw !== 'string' || raw.length > MAX_RAW_LENGTH) return undefined;
  try {
    return innerError(JSON.parse(raw), MAX_DEPTH);
  } catch {
    return innerError(raw, MAX_DEPTH);
  }
}

const joined = (message: string | undefined, reason: string | undefined): string | undefined =>
  message === undefined || reason === undefined ? (message ?? reason) : textOf(`${message}: ${reason}`);

const MESSAGE_FIELDS = ['message', 'detail', 'msg', 'error_description', 'error_message', 'title'];

function messageOf(fields: Fields, depth: number): string | undefined {
  for (const name of MESSAGE_FIELDS) {
    const value = ownOf(fields, name);
    const message = textOf(value) ?? listedMessage(value) ?? read(value, depth - 1)?.message;
    if (message !== undefined) return message;
  }
  return undefined;
}

/** FastAPI lists what is wrong as `{ loc, msg, input }`; `input` repeats the request and is not read. */
function listedMessage(value: unknown): string | undefined {
  if (!Array.isArray(value)) return undefined;
  const parts = value.slice(0, MAX_LISTED).flatMap((entry) => {
    const text = textOf(entry) ?? textOf(ownOf(plainOf(entry), 'msg')) ?? read(entry, 1)?.message;
    if (text === undefined) return [];
    const place = ownOf(plainOf(entry), 'loc');
    const path = Array.isArray(place) ? place.flatMap((step) => codeOf(step) ?? []).join('.') : '';
    return path === '' ? [text] : [`${path}: ${text}`];
  });
  return textOf(parts.join('; '));
}

/** OpenRouter lists the reasons beside the input that it flagged. */
function isModeration(fields: Fields): boolean {
  const metadata = plainOf(ownOf(fields, 'metadata'));
  return metadata !== undefined && (Object.hasOwn(metadata, 'reasons') || Object.hasOwn(metadata, 'flagged_input'));
}

function statusOf(fields: Fields): number | undefined {
  for (const name of ['code', 'status', 'statusCode', 'status_code']) {
    const value = ownOf(fields, name);
    const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
    if (typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599) return status;
  }
  return undefined;
}

/** The fields of a plain object, as JSON gives it; undefined for an instance of a class. */
function plainOf(value: unknown): Fields | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype ? (value as Fields) : undefined;
}

const ownOf = (fields: Fields | undefined, name: string): unknown =>
  fields !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;

/** A code is a short word or a number; a server that puts anything else there could repeat the request. */
function codeOf(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value : undefined;
}

const wordOf = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[A-Z_]{1,64}$/.test(value) ? value : undefined;

function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.slice(0, MAX_MESSAGE_LENGTH).trim();
  return text === '' ? undefined : text;
}
