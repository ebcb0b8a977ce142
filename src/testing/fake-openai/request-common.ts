import { invalidRequest } from './api-error.ts';
import {
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

/** Checks what both APIs take, and what doesn't change the answer here. */
export function checkCommon(body: JsonObject, modelName: string, model: FakeModel): void {
  readNumber(body, 'top_p', { min: 0, max: 1 });
  readNumber(body, 'top_logprobs', { min: 0, max: 20, integer: true });
  for (const name of ['store', 'parallel_tool_calls']) readBoolean(body, name);
  for (const name of ['user', 'safety_identifier', 'prompt_cache_key']) {
    if ((body[name] ?? undefined) !== undefined) readText(body[name], name);
  }
  const tier = body['service_tier'] ?? undefined;
  if (tier !== undefined) readChoice(tier, 'service_tier', SERVICE_TIERS);
  checkMetadata(body['metadata'] ?? undefined);
  checkTemperature(body, modelName, model);
}

/** Reasoning models take their default temperature only. */
function checkTemperature(body: JsonObject, modelName: string, model: FakeModel): void {
  const temperature = readNumber(body, 'temperature', { min: 0, max: 2 });
  if (temperature === undefined || temperature === 1 || model.reasoning !== true) return;
  throw invalidRequest(
    `Unsupported value: 'temperature' does not support ${temperature} with ${modelName}. Only the default (1) value is supported.`,
    'temperature',
    'unsupported_value',
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
