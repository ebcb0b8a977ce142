import type { CallExplanation } from './call-explanation.ts';
import type { ErrorCode } from './error-code.ts';
import type { DescribeErrorOf } from './errors-by-code.ts';
import type { VisionUsage } from './vision-usage.ts';

/** Marks every DescribeError of every copy of this package: `instanceof` fails between ESM and CJS. */
const BRAND = Symbol.for('@describe-it/sdk/error');

export interface DescribeErrorOptions {
  /** The cause of the error. */
  readonly cause?: unknown;
  /** Whether the same call may succeed later, unchanged. @defaultValue false */
  readonly retryable?: boolean;
}

/** A failure as JSON, such as for a log. Every field is JSON-safe. */
export interface DescribeErrorJson {
  readonly name: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  /**
   * Further fields of the error's class, such as `status`, `upstreamMessage`, `usage` or `explain`, where it has them.
   */
  readonly [field: string]: unknown;
  /** Present where the cause is a `DescribeError` too. Any other cause may hold a secret. */
  readonly cause?: { readonly name: string; readonly code: ErrorCode; readonly message: string };
}

/** The JSON-safe fields of all classes. */
const JSON_FIELDS = [
  'status',
  'requestId',
  'upstreamCode',
  'upstreamMessage',
  'contentType',
  'retryAfterMs',
  'timeoutMs',
  'field',
  'issues',
  'option',
  'limit',
  'breaker',
  'usage',
  'costUsd',
  'explain',
] as const;

/**
 * Base of every error that this package makes. Tell kinds apart by `code`. Neither message nor fields ever hold a key,
 * a prompt, an image or a description. Only `cause` may, where your own code threw it.
 *
 * @example
 * ```ts
 * import { DescribeError } from '@describe-it/sdk';
 *
 * const advice = (error: unknown) =>
 *   DescribeError.is(error, 'DESCRIBE_RATE_LIMITED') ? `wait ${error.retryAfterMs ?? 0} ms` : 'give up';
 * ```
 */
export class DescribeError extends Error implements DescribeErrorOptions {
  /** The kind of the failure, such as `DESCRIBE_RATE_LIMITED`; docs/errors.md has them all. */
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /**
   * The explanation of the failed call, on errors of `describe` and `describeMany`. Each caller has its own, also where
   * several share one request. Not enumerable, so that logs stay short.
   */
  declare readonly explain?: CallExplanation;
  /**
   * Tokens billed for the failed call, over all its attempts. An answer that is cut off, or does not match the schema,
   * is billed too. For a shared request, the image's part. Absent where nothing was billed, or the API reported no
   * tokens.
   */
  declare readonly usage?: VisionUsage;
  /** Price of `usage` in US dollars; absent for a model whose price is unknown. */
  declare readonly costUsd?: number;

  constructor(code: ErrorCode, message: string, { cause, retryable = false }: DescribeErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = retryable;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /**
   * Tells whether a value is a DescribeError of any copy of this package. With a code, tells whether it has that code,
   * and TypeScript knows the fields of its class from then on.
   */
  static is(value: unknown): value is DescribeError;
  static is<Code extends ErrorCode>(value: unknown, code: Code): value is DescribeErrorOf<Code>;
  static is(value: unknown, code?: ErrorCode): boolean {
    if (typeof value !== 'object' || value === null || !(BRAND in value)) return false;
    return code === undefined || (value as { readonly code?: unknown }).code === code;
  }

  /**
   * Gives `JSON.stringify` the name, code, message, and the fields of the class. It holds no secret: a cause that your
   * own code threw is left out.
   */
  toJSON(): DescribeErrorJson {
    const { name, code, message, retryable, cause } = this;
    const json: Record<string, unknown> = { name, code, message, retryable };
    for (const field of JSON_FIELDS) {
      const value = (this as Readonly<Record<string, unknown>>)[field];
      if (value !== undefined) json[field] = value;
    }
    if (DescribeError.is(cause)) {
      json['cause'] = { name: cause.name, code: cause.code, message: cause.message };
    }
    return json as unknown as DescribeErrorJson;
  }
}

/**
 * Gives a class of errors its `name` as text, because a minifier renames the class. The name stands on the prototype,
 * so that a stack trace shows it and no instance carries the field.
 */
export function setErrorName({ prototype }: { readonly prototype: Error }, name: string): void {
  Object.defineProperty(prototype, 'name', { value: name, writable: true, configurable: true });
}

/** Sets the fields that are known. The class only declares them, so that an unknown one is no field at all. */
export function setKnown(error: DescribeError, fields: object): void {
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) Object.assign(error, { [name]: value });
}

setErrorName(DescribeError, 'DescribeError');
