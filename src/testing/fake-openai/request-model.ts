import { ApiError, invalidRequest } from './api-error.ts';
import { type JsonObject, wrongType } from './request-fields.ts';
import { type FakeModel, findModel } from './token-table.ts';

/** The model that a request names, which must be a known one. */
export function readModel(
  body: JsonObject,
  models: Readonly<Record<string, FakeModel>>,
): { readonly name: string; readonly model: FakeModel } {
  const name = body['model'];
  if (name === undefined || name === null || name === '') {
    throw invalidRequest('you must provide a model parameter', null, null);
  }
  if (typeof name !== 'string') throw wrongType('model', 'a string', name);
  const model = findModel(models, name);
  if (model === undefined) throw modelNotFound(name);
  return { name, model };
}

export const modelNotFound = (name: string): ApiError =>
  new ApiError(404, {
    message: `The model \`${name}\` does not exist or you do not have access to it.`,
    type: 'invalid_request_error',
    param: null,
    code: 'model_not_found',
  });
