/** The API's own error body: `{ error: { message, type, param, code } }`. */
export interface ApiErrorBody {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

/** An answer other than 200. */
export class ApiError extends Error {
  readonly status: number;
  readonly body: ApiErrorBody;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body: ApiErrorBody, headers: Readonly<Record<string, string>> = {}) {
    super(body.message);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** A 400 `invalid_request_error`, the API's answer to a request that is wrong in itself. */
export const invalidRequest = (message: string, param: string | null, code: string | null): ApiError =>
  new ApiError(400, { message, type: 'invalid_request_error', param, code });
