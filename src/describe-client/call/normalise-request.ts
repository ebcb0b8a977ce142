import { DescribeError } from '../../errors/describe-error.ts';
import { InputError } from '../../errors/input-error.ts';
import { asBytes, type ImageSource, isBlob, isReadOnce } from '../../image/reading/image-source.ts';
import { jsonCopy } from '../../internal/options/extra-body.ts';
import { imageObjectOf, imageValueOf, ONE_IMAGE_A_CALL } from '../../internal/options/image-value.ts';
import { throwInputIssues } from '../../internal/options/input-issues.ts';
import { anything, shape } from '../../internal/options/option-checks.ts';
import { defaultsOf } from '../../internal/options/option-spec.ts';
import { callOptions } from '../../internal/options/own-options.ts';
import type { DescribeInput, DescribeOptions, DescribeRequest, ImageBytes } from '../options/describe-request.ts';
import { requestNameOf } from '../options/request-names.ts';
import { DESCRIBE_SPEC, type NormalisedRequest, type RequestDefaults } from '../options/request-spec.ts';
import { requestSchema } from '../schema/request-schema.ts';
import { strictLimitIssues } from '../schema/strict-limits.ts';

/**
 * The scope of a request as one text: a request's `cacheScope` is nested below its client's, so no request can name a
 * scope outside it. Empty without a scope. JSON keeps two paths of scopes apart, whatever characters they hold.
 */
export function scopePath(...scopes: readonly (string | undefined)[]): string {
  const given = scopes.filter((scope) => scope !== undefined);
  return given.length === 0 ? '' : JSON.stringify(given);
}

const IMAGE_FIELDS = ['imageUrl', 'image', 'file'] as const;

const DEFAULTS = defaultsOf(DESCRIBE_SPEC);
const checkRequestShape = shape(
  { ...DESCRIBE_SPEC, imageUrl: anything(), image: anything(), file: anything() },
  requestNameOf,
);
const checkOptionsShape = shape(DESCRIBE_SPEC, requestNameOf);
const OPTION_NAMES = Object.keys(DESCRIBE_SPEC) as (keyof DescribeOptions)[];

/**
 * Makes one complete request of what the caller passed.
 * @throws `DESCRIBE_INPUT_INVALID` that names the first wrong field and lists all of them.
 */
export function normaliseRequest<Data>(
  input: DescribeInput<Data>,
  given: DescribeOptions<Data> | undefined,
  defaults: RequestDefaults,
): NormalisedRequest<Data> {
  try {
    const options = given === undefined ? undefined : callOptions(given);
    const bare = bareImageOf(input);
    // A bare image has no fields to check.
    const request = callOptions(bare ?? (input as DescribeRequest<Data>));
    const fields = bare === undefined ? checkRequestShape(request, '') : [];
    const issues = options === undefined ? fields : [...fields, ...checkOptionsShape(options, '')];
    if (fields.length > 0) refuseOtherForms(request);
    if (issues.length > 0) throwInputIssues(issues);
    const merged = options === undefined ? request : merge(request, options);
    const schema = merged.schema && requestSchema(merged.schema);
    if (schema !== undefined && defaults.limitsSchemas) throwInputIssues(strictLimitIssues(schema.jsonSchema));
    return {
      image: imageOf(request),
      prompt: merged.prompt ?? defaults.prompt,
      model: merged.model ?? defaults.model,
      detail: merged.detail ?? defaults.detail,
      maxOutputTokens: merged.maxOutputTokens ?? defaults.maxOutputTokens,
      system: merged.system ?? defaults.system,
      temperature: merged.temperature ?? defaults.temperature,
      reasoningEffort: merged.reasoningEffort ?? defaults.reasoningEffort,
      extraBody: merged.extraBody && jsonCopy(merged.extraBody),
      schema,
      scope: scopePath(defaults.cacheScope, defaults.tenantScope, merged.cacheScope),
      priority: merged.priority ?? DEFAULTS.priority,
      tags: merged.tags === undefined ? DEFAULTS.tags : [...merged.tags],
      ttlSeconds: merged.ttlSeconds,
      timeoutMs: merged.timeoutMs ?? defaults.timeoutMs,
      signal: merged.signal,
      cache: merged.cache ?? DEFAULTS.cache,
      onTruncated: merged.onTruncated ?? DEFAULTS.onTruncated,
      metadata: merged.metadata,
    };
  } catch (error) {
    // A getter or a proxy of the caller's, or a schema that is nested too deeply to be read.
    if (DescribeError.is(error)) throw error;
    throw new InputError('input', 'must be readable, but reading it or its options threw; see cause', { cause: error });
  }
}

/**
 * Read by name, not by spreading: a request may be an instance of the caller's class, with getters on its prototype.
 */
function merge<Data>(request: DescribeRequest<Data>, options: DescribeOptions<Data>): DescribeOptions<Data> {
  const merged: { -readonly [Name in keyof DescribeOptions<Data>]: unknown } = {};
  for (const name of OPTION_NAMES) merged[name] = options[name] ?? request[name];
  return merged as DescribeOptions<Data>;
}

/** An image that was passed without a request around it; undefined for any other object, which counts as a request. */
function bareImageOf(input: unknown): DescribeRequest<never> | undefined {
  if (typeof input === 'string') return { imageUrl: input };
  if (input instanceof URL) return isFileUrl(input) ? { file: input } : { imageUrl: input };
  if (input instanceof Uint8Array || input instanceof ArrayBuffer || input instanceof Blob) return { image: input };
  if (typeof input === 'object' && input !== null) {
    // Most inputs are requests, and no stream has such a field.
    for (const field of IMAGE_FIELDS) if (field in input) return undefined;
    return isReadOnce(input) ? { image: input } : undefined;
  }
  throw wrongImage('input', REQUEST_FORMS, input);
}

const REQUEST_FORMS = 'an image URL, bytes, a Blob or a request object';

/** Throws for a value that is no request at all. Called once something is wrong with a request. */
function refuseOtherForms(request: object): void {
  if (imageObjectOf(request) !== undefined) throw wrongImage('input', REQUEST_FORMS, request);
  const several = SEVERAL_IMAGES.find((name) => Object.hasOwn(request, name));
  if (several !== undefined) throw new InputError(several, `is no option. ${ONE_IMAGE_A_CALL}`);
  if (!Object.hasOwn(request, 'image_url')) return;
  throw new InputError(
    'image_url',
    "must be `imageUrl` with the address itself; got a part of OpenAI's messages. Pass `{ imageUrl: image_url.url }`.",
  );
}

const SEVERAL_IMAGES = ['images', 'imageUrls', 'files'] as const;

function imageOf(request: DescribeRequest): ImageSource {
  const { imageUrl, image, file } = request;
  const given = IMAGE_FIELDS.filter((field) => request[field] !== undefined);
  const [field] = given;
  if (field === undefined) throw noImage(request);
  if (given.length > 1) throw new InputError(field, `pass only one of ${given.join(' and ')}`);
  if (imageUrl !== undefined) {
    if (typeof imageUrl === 'string' || imageUrl instanceof URL) return imageUrl;
    throw wrongImage('imageUrl', 'an http, https or data URL', imageUrl);
  }
  if (file !== undefined) {
    if (file instanceof URL ? isFileUrl(file) : typeof file === 'string' && !isAddress(file)) return { file };
    throw wrongImage('file', 'a path', file);
  }
  if (isImageBytes(image)) return image;
  throw wrongImage('image', 'bytes, a Blob or a stream of bytes', image);
}

function wrongImage(field: string, expected: string, value: unknown): InputError {
  const { kind, advice } = imageValueOf(value);
  return new InputError(field, `must be ${expected}; got ${kind}. ${advice}`);
}

/** A field that is present but undefined most likely came from a missing variable. */
function noImage(request: DescribeRequest): InputError {
  refuseOtherForms(request);
  const missing = IMAGE_FIELDS.find((field) => field in request);
  return missing === undefined
    ? new InputError('image', 'there is none: pass one of imageUrl, image and file')
    : new InputError(missing, 'must be an image; got undefined. Check the variable that holds it.');
}

/** No path begins like this, and no such file would be found. */
const isAddress = (file: string): boolean => /^\s*$|^(?:https?|data|file|blob):/i.test(file.slice(0, 256));

/** By shape, since bytes and Blobs of another realm or polyfill fail `instanceof`. */
const isImageBytes = (value: unknown): value is ImageBytes =>
  asBytes(value) !== undefined || isBlob(value) || isReadOnce(value);

/** Only as an object: a text that begins with `file:` may come from a user. */
const isFileUrl = ({ protocol }: URL): boolean => protocol === 'file:';
