import type { ImageSource } from '../../image/index.ts';
import { extraBodyCheck } from '../../internal/options/extra-body.ts';
import { abortSignal } from '../../internal/options/input-issues.ts';
import {
  anything,
  boundedText,
  finiteNumber,
  integer,
  listOf,
  MAX_MODEL_LENGTH,
  milliseconds,
  nonEmptyText,
  type OptionChecks,
  oneOf,
} from '../../internal/options/option-checks.ts';
import { withDefault } from '../../internal/options/option-spec.ts';
import { REASONING_EFFORTS } from '../../internal/options/reasoning-effort.ts';
import { schemaCheck } from '../schema/request-schema.ts';
import type { DescribeSchema } from '../schema/schema-source.ts';
import type { DescribeOptions } from './describe-request.ts';

const MAX_SCOPE_LENGTH = 256;

/** Every field of a request but its image; those without a default here have one of the client, or none. */
export const DESCRIBE_SPEC = {
  prompt: nonEmptyText(),
  model: boundedText(MAX_MODEL_LENGTH),
  detail: oneOf('low', 'high', 'auto'),
  maxOutputTokens: integer({ min: 1 }),
  system: nonEmptyText(),
  temperature: finiteNumber({ min: 0, max: 2 }),
  reasoningEffort: oneOf(...REASONING_EFFORTS),
  extraBody: extraBodyCheck(),
  schema: schemaCheck,
  cacheScope: boundedText(MAX_SCOPE_LENGTH),
  priority: withDefault(integer(), 0),
  tags: withDefault(listOf(nonEmptyText()), []),
  ttlSeconds: integer({ min: 1 }),
  timeoutMs: milliseconds(),
  signal: abortSignal(),
  cache: withDefault(oneOf('default', 'no-store', 'reload', 'only-if-cached'), 'default'),
  onTruncated: withDefault(oneOf('reject', 'return'), 'reject'),
  metadata: anything(),
} satisfies OptionChecks<DescribeOptions>;

type Filled<Options, Name extends keyof Options> = { readonly [Field in Name]-?: Exclude<Options[Field], undefined> };
/** Fields for which every client has a value. */
type ClientField = 'model' | 'prompt' | 'detail' | 'maxOutputTokens' | 'timeoutMs';
/** Fields that the model decides where neither request nor client does. */
type ModelField = 'system' | 'temperature' | 'reasoningEffort';

/** Values of the client for fields that a request leaves open. */
export interface RequestDefaults
  extends Filled<DescribeOptions, ClientField>,
    Pick<DescribeOptions, ModelField | 'cacheScope'> {
  /** The scope of a tenant, nested below its client's. */
  readonly tenantScope?: string | undefined;
  /** Whether a schema must stay within the limits of OpenAI's strict mode. @defaultValue false */
  readonly limitsSchemas?: boolean | undefined;
}

/** A checked request with nothing left open. The extra fields of client and endpoint are added when it is sent. */
export interface NormalisedRequest<Data = unknown>
  extends Filled<DescribeOptions, ClientField | 'priority' | 'tags' | 'cache' | 'onTruncated'>,
    Pick<DescribeOptions<Data>, ModelField | 'extraBody' | 'ttlSeconds' | 'signal' | 'metadata'> {
  readonly schema?: DescribeSchema<Data> | undefined;
  /** Where the image is. */
  readonly image: ImageSource;
  /** The client's and the request's `cacheScope` as one text, see `scopePath`. */
  readonly scope: string;
  /** The request is to fill the cache: an answer that would not be stored is a failure. */
  readonly fillsCache?: boolean | undefined;
}
