import { type HttpAnswer, isBodyless, textOfBytes } from './http-message.ts';
import { WebHeaders, webBase } from './web-headers.ts';

const PlainResponse = webBase(() => Response);

const NOTHING = Buffer.alloc(0);

/**
 * The web's `Response` of an answer, with its URL, and any status and reason phrase: the web's constructor takes
 * neither. The text or JSON of a complete answer is read without the web's streams, which cost more than the rest of a
 * small answer.
 */
export class WebResponse extends PlainResponse implements Response {
  readonly #answer: HttpAnswer;
  readonly #url: string;
  readonly #isBodyless: boolean;
  #headers: WebHeaders | undefined;
  /** Holds the body once more than its text was requested. */
  #web: Response | undefined;
  #isRead = false;

  constructor(answer: HttpAnswer, url: string, method: string) {
    super();
    this.#answer = answer;
    this.#url = url;
    this.#isBodyless = isBodyless(method, answer.status);
  }

  get status(): number {
    return this.#answer.status;
  }

  get statusText(): string {
    return this.#answer.statusText;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get headers(): Headers {
    this.#headers ??= new WebHeaders(this.#answer.headers);
    return this.#headers;
  }

  get url(): string {
    return this.#url;
  }

  get type(): 'basic' {
    return 'basic';
  }

  get redirected(): false {
    return false;
  }

  get body(): Response['body'] {
    return this.#asWeb().body;
  }

  get bodyUsed(): boolean {
    return this.#isRead || (this.#web?.bodyUsed ?? false);
  }

  async text(): Promise<string> {
    const bytes = this.#takeBytes();
    return bytes === undefined ? this.#asWeb().text() : textOfBytes(bytes);
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#asWeb().arrayBuffer();
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.arrayBuffer().then((buffer) => new Uint8Array(buffer));
  }

  async blob(): Promise<Blob> {
    return new Blob([await this.arrayBuffer()], { type: this.headers.get('content-type') ?? '' });
  }

  async formData(): ReturnType<Response['formData']> {
    const headers = { 'content-type': this.headers.get('content-type') ?? '' };
    return new Response(await this.arrayBuffer(), { headers }).formData();
  }

  clone(): WebResponse {
    const { body } = this.#asWeb().clone();
    if (body === null) return new WebResponse(this.#answer, this.#url, 'HEAD');
    const { status, statusText, headers } = this.#answer;
    return new WebResponse({ kind: 'streamed', status, statusText, headers, body }, this.#url, 'GET');
  }

  /** The bytes of an answer that arrived whole and is not read as a stream. They are given once. */
  #takeBytes(): Buffer | undefined {
    if (this.#isBodyless) return NOTHING;
    if (this.#isRead) throw new TypeError('Body is unusable: Body has already been read');
    if (this.#web !== undefined || this.#answer.kind === 'streamed') return undefined;
    this.#isRead = true;
    return this.#answer.body;
  }

  #asWeb(): Response {
    if (this.#web === undefined) {
      const { body } = this.#answer;
      this.#web = new Response(this.#isBodyless ? null : body);
      // A body can't be read twice, so the web's error is thrown.
      if (this.#isRead) void this.#web.text();
    }
    return this.#web;
  }
}
