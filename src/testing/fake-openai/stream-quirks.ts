import type { Quirk } from './fault-plan.ts';

const COMMENT = ': ping\n\n';

/** The events as that server writes them. */
export function writtenAs(events: Iterable<string>, { keepAlive, lineEnd }: Partial<Quirk> = {}): readonly string[] {
  const all = keepAlive === true ? Array.from(events, (event) => COMMENT + event) : [...events];
  return lineEnd === 'crlf' ? all.map((event) => event.replaceAll('\n', '\r\n')) : all;
}

/** The events as the bytes of each write. */
export function* groups(events: readonly string[], writes: NonNullable<Quirk['writes']>): Generator<string | Buffer> {
  if (writes === 'events') {
    yield* events;
    return;
  }
  const whole = events.join('');
  if (writes === 'joined') {
    if (whole !== '') yield whole;
    return;
  }
  const bytes = Buffer.from(whole);
  for (let start = 0; start < bytes.length; start += writes) yield bytes.subarray(start, start + writes);
}
