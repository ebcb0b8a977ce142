import { modelNotFound } from './request-model.ts';
import { type FakeModel, findModel } from './token-table.ts';

const describeModel = (id: string) => ({
  id,
  object: 'model',
  created: 1_700_000_000,
  owned_by: 'system',
});

/** The answer of `GET /v1/models`. */
export const modelList = (models: Readonly<Record<string, FakeModel>>): object => ({
  object: 'list',
  data: Object.keys(models).map(describeModel),
});

/** The answer of `GET /v1/models/{model}`; throws the 404 for an unknown one. */
export function modelObject(models: Readonly<Record<string, FakeModel>>, name: string): object {
  if (findModel(models, name) === undefined) throw modelNotFound(name);
  return describeModel(name);
}
