/** An answer that arrived whole. */
export interface HttpReply<Data = unknown> {
  readonly status: number;
  /** Names in lower case; a header that came more than once is joined by commas. Cookies are in `setCookies`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Every `Set-Cookie` header. */
  readonly setCookies: readonly string[];
  /** JSON as its value, text as a string, anything else as bytes; `undefined` when the answer has no body. */
  readonly data: Data;
}
