import { jsonOf } from './json-of.ts';
import { ServerSentEvents } from './server-sent-events.ts';

/** The mark of the end of a stream, which holds no event. */
const STREAM_END = '[DONE]';

/** Reads the objects in the events of a streamed answer, from its bytes. Other JSON and other words are skipped. */
export class EventReader {
  readonly #take: (event: object, name: string) => void;
  readonly #events: ServerSentEvents;
  #hasEnded = false;

  /**
   * @param take - Called with each object and the name of its event, which may be empty.
   * @param maxLineBytes - Longest line. @defaultValue 4 MiB
   */
  constructor(take: (event: object, name: string) => void, maxLineBytes?: number) {
    this.#take = take;
    this.#events = new ServerSentEvents((data, name) => this.#takeData(data, name), maxLineBytes);
  }

  /** Whether the mark of the end came. Nothing after it belongs to the answer. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** @throws `DESCRIBE_RESPONSE_INVALID` for a line that is too long, and whatever `take` throws. */
  push(chunk: Buffer): void {
    this.#events.push(chunk);
  }

  /** The stream has ended. A last event counts even where the blank line after it is missing. */
  end(): void {
    this.#events.end();
  }

  #takeData(data: string, name: string): void {
    this.#hasEnded ||= data.startsWith(STREAM_END);
    if (this.#hasEnded) return;
    const event = jsonOf(data);
    if (event !== undefined) this.#takeObject(event, name);
    // Some servers leave out the blank line between two events.
    else if (data.includes('\n')) for (const line of data.split('\n')) this.#takeData(line, name);
    // A gateway may say in words why it gives up.
    else if (name === 'error' && data !== '') this.#take({ error: { message: data } }, name);
  }

  #takeObject(event: object, name: string): void {
    if (!Array.isArray(event)) this.#take(event, name);
    else for (const one of event as unknown[]) if (typeof one === 'object' && one !== null) this.#take(one, name);
  }
}

/** Joins the events of one answer. */
interface EventJoiner {
  readonly isComplete: boolean;
  take(event: object, name: string): unknown;
  completion(): object;
}

/** Joins a stream that nobody asked for, and that arrived whole. Undefined for one without an end. */
export function joinedEvents(text: string, joiner: EventJoiner): object | undefined {
  const reader = new EventReader((event, name) => joiner.take(event, name), Number.POSITIVE_INFINITY);
  reader.push(Buffer.from(text));
  reader.end();
  return joiner.isComplete ? joiner.completion() : undefined;
}
