import { ApiError } from './api-error.ts';
import type { Endpoint } from './vision-request.ts';

/** The meaning of a URL. */
export interface Route {
  readonly endpoint: Endpoint;
  readonly action: 'chat' | 'responses' | 'count-tokens' | 'list-models' | 'get-model' | 'unknown';
  /** The model named in the path: of `/models/x`, or an Azure deployment. */
  readonly model?: string;
}

/** OpenAI's paths and those of Azure, which start with `/openai` and may name a deployment. */
const PATHS: readonly (readonly [RegExp, Route])[] = [
  [/^(?:\/openai)?(?:\/v1)?\/chat\/completions$/, { endpoint: 'chat', action: 'chat' }],
  [/^(?:\/openai)?\/deployments\/(?<model>[^/]+)\/chat\/completions$/, { endpoint: 'chat', action: 'chat' }],
  [/^(?:\/openai)?(?:\/v1)?\/responses$/, { endpoint: 'responses', action: 'responses' }],
  [/^(?:\/openai)?(?:\/v1)?\/responses\/input_tokens$/, { endpoint: 'other', action: 'count-tokens' }],
  [/^(?:\/openai)?(?:\/v1)?\/models$/, { endpoint: 'models', action: 'list-models' }],
  [/^(?:\/openai)?(?:\/v1)?\/models\/(?<model>[^/]+)$/, { endpoint: 'models', action: 'get-model' }],
];

export function findRoute(path: string): Route {
  for (const [pattern, route] of PATHS) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const model = match.groups?.['model'];
    return model === undefined ? route : { ...route, model: decode(model) };
  }
  return { endpoint: 'other', action: 'unknown' };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Throws the API's answer to an unknown URL or the wrong method. */
export function checkMethod({ endpoint, action }: Route, method: string, path: string): void {
  if (action === 'unknown') {
    throw new ApiError(404, {
      message: `Invalid URL (${method} ${path})`,
      type: 'invalid_request_error',
      param: null,
      code: null,
    });
  }
  if (endpoint === 'models' ? method === 'GET' || method === 'HEAD' : method === 'POST') return;
  throw new ApiError(405, {
    message: `Not allowed to ${method} on ${path}. (HINT: Perhaps you meant to use a different HTTP method?)`,
    type: 'invalid_request_error',
    param: null,
    code: null,
  });
}
