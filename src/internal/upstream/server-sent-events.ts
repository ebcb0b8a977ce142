import { UpstreamError } from '../../errors/index.ts';

/** Longest line, in bytes: far above any event of the API. */
const MAX_LINE_BYTES = 4_194_304;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = '\ufeff';

/**
 * Parses a stream of server-sent events from its bytes, however they are cut. Line ends may be CRLF, LF or CR. Comments
 * are skipped, and data of several lines are joined. Source: HTML standard, "Server-sent events", parsing.
 */
export class ServerSentEvents {
  readonly #onEvent: (data: string, name: string) => void;
  readonly #maxLineBytes: number;
  /** Bytes of a line that has not ended yet. */
  readonly #rest: Buffer[] = [];
  #restBytes = 0;
  #isFirst = true;
  /** A line feed that follows belongs to the carriage return before it. */
  #endedWithReturn = false;
  #data: string | undefined;
  #name = '';

  /** @param onEvent - Called with the data of each event, and its name, which may be empty. */
  constructor(onEvent: (data: string, name: string) => void, maxLineBytes = MAX_LINE_BYTES) {
    this.#onEvent = onEvent;
    this.#maxLineBytes = maxLineBytes;
  }

  /** @throws `DESCRIBE_RESPONSE_INVALID` for a line that is too long, and whatever `onEvent` throws. */
  push(chunk: Buffer): void {
    const end = Math.max(chunk.lastIndexOf(LINE_FEED), chunk.lastIndexOf(CARRIAGE_RETURN)) + 1;
    const restBytes = end === 0 ? this.#restBytes + chunk.length : chunk.length - end;
    if (Math.max(this.#restBytes, restBytes) > this.#maxLineBytes) throw lineTooLong(this.#maxLineBytes);
    if (end > 0) {
      const whole = end === chunk.length ? chunk : chunk.subarray(0, end);
      const bytes = this.#rest.length === 0 ? whole : Buffer.concat([...this.#rest, whole]);
      this.#rest.length = 0;
      this.#lines(bytes.toString('utf8'));
    }
    this.#restBytes = restBytes;
    if (end < chunk.length) this.#rest.push(end === 0 ? chunk : chunk.subarray(end));
  }

  /** The stream has ended. A last event counts even where the blank line after it is missing. */
  end(): void {
    if (this.#rest.length > 0) this.#lines(`${Buffer.concat(this.#rest).toString('utf8')}\n`);
    this.#rest.length = 0;
    this.#dispatch();
  }

  /** Reads whole lines: the text ends with a line end. */
  #lines(given: string): void {
    let text = given;
    if (this.#isFirst) {
      this.#isFirst = false;
      if (text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1);
    }
    let start = this.#endedWithReturn && text.startsWith('\n') ? 1 : 0;
    this.#endedWithReturn = text.endsWith('\r');
    if (text.includes('\r')) {
      text = text.slice(start).replace(/\r\n?/g, '\n');
      start = 0;
    }
    for (let end = text.indexOf('\n', start); end >= 0; end = text.indexOf('\n', start)) {
      if (end === start) this.#dispatch();
      else this.#field(text.slice(start, end));
      start = end + 1;
    }
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    if (name !== 'data' && name !== 'event') return;
    const at = line.startsWith(' ', colon + 1) ? colon + 2 : colon + 1;
    const value = colon < 0 ? '' : line.slice(at);
    if (name === 'event') this.#name = value;
    else this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
  }

  #dispatch(): void {
    const data = this.#data;
    const name = this.#name;
    this.#data = undefined;
    this.#name = '';
    if (data !== undefined) this.#onEvent(data, name);
  }
}

const lineTooLong = (maxBytes: number): UpstreamError =>
  new UpstreamError('DESCRIBE_RESPONSE_INVALID', `a line of the stream is longer than ${maxBytes} bytes`, {
    status: 200,
  });
