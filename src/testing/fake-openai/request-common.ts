import { invalidRequest } from './api-error.ts';
import {
  checkNames,
  isJsonObject,
  type JsonObject,
  readBoolean,
  readChoice,
  readNumber,
  readText,
  wrongType,
} from './request-fields.ts';
import type { FakeModel } from './token-table.ts';

const SERVICE_TIERS = ['auto', 'default', 'flex', 'scale', 'priority', 'fast', 'ultrafast'] as const;
/** Most entries of `metadata`, and the most characters of a key and a value. */
const METADATA = { entries: 16, key: 64, value: 512 } as const;

const VERBOSITIES = ['low', 'medium', 'high'] as const;

/** Checks what both APIs take, and what doesn't change the answer here. */
export function checkCommon(body: JsonObject, model: FakeModel): void {
  readNumber(body, 'top_logprobs', { min: 0, max: 20, integer: true });
  for (const name of ['store', 'parallel_tool_calls']) readBoolean(body, name);
  for (const name of ['user', 'safety_identifier', 'prompt_cache_key']) {
    if ((body[name] ?? undefined) !== undefined) readText(body[name], name);
  }
  checkTier(body['service_tier'] ?? undefined, model);
  checkMetadata(body['metadata'] ?? undefined);
}

function checkTier(tier: unknown, model: FakeModel): void {
  if (tier === undefined || readChoice(tier, 'service_tier', SERVICE_TIERS) !== 'flex') return;
  if (model.flex ?? model.reasoning === true) return;
  throw invalidRequest('Invalid service_tier argument', null, null);
}

/** The tier that answers: `auto` and no tier mean the default one. */
export const tierOf = (body: JsonObject): string => {
  const tier = body['service_tier'] ?? 'auto';
  return tier === 'auto' ? 'default' : String(tier);
};

/** Older models know one verbosity only. */
export function checkVerbosity(value: unknown, param: string, name: string, model: FakeModel): void {
  if (value === undefined || value === null) return;
  const verbosity = readChoice(value, param, VERBOSITIES);
  if (verbosity === 'medium' || model.reasoning === true) return;
  throw invalidRequest(
    `Unsupported value: '${verbosity}' is not supported with the '${name}' model. Supported values are: 'medium'.`,
    param,
    'unsupported_value',
  );
}

/** Options of a stream. Returns the ones given. */
export function readStreamOptions(body: JsonObject, names: readonly string[]): Readonly<Record<string, boolean>> {
  const options = body['stream_options'] ?? undefined;
  if (options === undefined) return {};
  if (readBoolean(body, 'stream') !== true) {
    throw invalidRequest(
      "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
      'stream_options',
      null,
    );
  }
  if (!isJsonObject(options)) throw wrongType('stream_options', 'an object', options);
  checkNames(options, 'stream_options', names);
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = readBoolean(options, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function checkMetadata(metadata: unknown): void {
  if (metadata === undefined) return;
  if (!isJsonObject(metadata)) throw wrongType('metadata', 'an object', metadata);
  const entries = Object.entries(metadata);
  if (entries.length > METADATA.entries) {
    throw invalidRequest(
      `Invalid 'metadata': too many properties. Expected an object with at most ${METADATA.entries} properties, but got an object with ${entries.length} properties instead.`,
      'metadata',
      'object_above_max_properties',
    );
  }
  for (const [name, value] of entries) {
    const param = `metadata.${name}`;
    if (typeof value !== 'string') throw wrongType(param, 'a string', value);
    if (name.length > METADATA.key || value.length > METADATA.value) {
      throw invalidRequest(`Invalid '${param}': string too long.`, param, 'string_above_max_length');
    }
  }
}
