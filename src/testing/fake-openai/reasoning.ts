import { REASONING_EFFORTS, type ReasoningEffort } from '../../internal/options/reasoning-effort.ts';
import { invalidRequest } from './api-error.ts';
import { type JsonObject, quoteAll, readChoice, readNumber } from './request-fields.ts';
import type { FakeModel } from './token-table.ts';

/**
 * Hidden tokens before an answer, by effort. The API's are drawn from a wide range and are multiples of 64; gpt-5
 * mostly reports 0 at `minimal`. Ours are always the same, so that a test knows what fits into a limit.
 */
export const REASONING_TOKENS: Readonly<Record<ReasoningEffort, number>> = {
  none: 0,
  minimal: 0,
  low: 192,
  medium: 512,
  high: 1_024,
  xhigh: 4_096,
  max: 8_192,
};

/** The API of a request: each names a parameter, and refuses it, in its own words. */
export type Api = 'chat' | 'responses';

const EFFORT_PARAM = { chat: 'reasoning_effort', responses: 'reasoning.effort' } as const;

/** The effort of a request: the named one, or the model's own. Throws the API's 400 for one that the model lacks. */
export function readEffort(value: unknown, api: Api, name: string, model: FakeModel): ReasoningEffort {
  const param = EFFORT_PARAM[api];
  if (value === undefined || value === null)
    return model.reasoning === true ? (model.defaultEffort ?? 'medium') : 'none';
  const effort = readChoice(value, param, REASONING_EFFORTS);
  if (model.reasoning !== true && model.efforts === undefined) {
    throw api === 'chat'
      ? invalidRequest(`Unrecognized request argument supplied: ${param}`, null, null)
      : unsupportedParameter(param, 'unsupported_parameter');
  }
  const efforts = model.efforts ?? REASONING_EFFORTS;
  if (efforts.includes(effort)) return model.reasoning === true ? effort : 'none';
  const problem =
    api === 'chat'
      ? `'${param}' does not support '${effort}' with this model`
      : `'${effort}' is not supported with the '${name}' model`;
  throw invalidRequest(
    `Unsupported value: ${problem}. Supported values are: ${quoteAll(efforts)}.`,
    param,
    'unsupported_value',
  );
}

/** Checks the parameters that a reasoning model accepts only with their default. */
export function checkSampling(body: JsonObject, api: Api, model: FakeModel, effort: ReasoningEffort): void {
  const support = model.temperature ?? (model.reasoning === true ? 'never' : 'always');
  const isFree = support === 'always' || (support === 'without-reasoning' && effort === 'none');
  for (const [param, max] of [
    ['temperature', 2],
    ['top_p', 1],
  ] as const) {
    const value = readNumber(body, param, { min: 0, max });
    if (value === undefined || value === 1 || isFree) continue;
    if (api === 'responses') throw unsupportedParameter(param, null);
    throw invalidRequest(
      `Unsupported value: '${param}' does not support ${value} with this model. Only the default (1) value is supported.`,
      param,
      'unsupported_value',
    );
  }
}

export const unsupportedParameter = (param: string, code: string | null) =>
  invalidRequest(`Unsupported parameter: '${param}' is not supported with this model.`, param, code);
