import type { WholeAnswer } from './http-message.ts';
import { ThinHeaders } from './thin-headers.ts';

/**
 * What a client of `fetch` reads of an answer that arrived whole, without the web's `Response` and its streams. `body`
 * becomes a real stream only when somebody asks for it.
 */
export class ThinResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: ThinHeaders;
  readonly url: string;
  readonly type = 'basic';
  readonly redirected = false;
  readonly #answer: WholeAnswer;
  readonly #bytes: Buffer;
  #used = false;
  #body: ReadableStream<Uint8Array> | undefined;

  constructor(answer: WholeAnswer, url: string) {
    this.status = answer.status;
    this.statusText = answer.statusText;
    this.headers = new ThinHeaders(answer.headers);
    this.url = url;
    this.#answer = answer;
    this.#bytes = answer.body;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get bodyUsed(): boolean {
    return this.#used;
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.#bytes.length === 0) return null;
    const bytes = this.#bytes;
    this.#body ??= new ReadableStream<Uint8Array>({
      start: (sink) => {
        sink.enqueue(bytes);
        sink.close();
      },
    });
    return this.#body;
  }

  async text(): Promise<string> {
    return this.#text();
  }

  async json(): Promise<unknown> {
    return JSON.parse(this.#text());
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(this.#take());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return new Uint8Array(this.#take()).buffer;
  }

  async blob(): Promise<Blob> {
    return new Blob([new Uint8Array(this.#take())], { type: this.headers.get('content-type') ?? '' });
  }

  clone(): ThinResponse {
    if (this.#used) throw new TypeError('the body was read already');
    return new ThinResponse(this.#answer, this.url);
  }

  #text(): string {
    return textOfBytes(this.#take());
  }

  #take(): Buffer {
    if (this.#used) throw new TypeError('the body was read already');
    this.#used = true;
    return this.#bytes;
  }
}

/** UTF-8 without its byte order mark, as the web's `text()` does. */
export function textOfBytes(bytes: Buffer): string {
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return bytes.toString('utf8', marked ? 3 : 0);
}
