import { expect, it } from 'vitest';
import { Deferred } from '../../internal/async/deferred.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { chatExchange } from './chat-exchange.ts';
import { StreamReader } from './stream-reader.ts';

it('leaves the stream of a client without a controller that goes on after its end', async () => {
  const clock = new ManualClock();
  const left = new Deferred<string>();
  async function* endless() {
    try {
      yield { choices: [{ delta: { content: 'fine' } }] };
      yield { choices: [{ finish_reason: 'stop', delta: {} }] };
      yield { choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } };
      for (;;) {
        await clock.advance(20);
        yield {};
      }
    } finally {
      left.resolve('left');
    }
  }
  const deltas: string[] = [];
  const sink = { clock, delta: (text: string) => deltas.push(text), moved() {}, complete() {}, goesOn() {} };
  const completion = await new StreamReader(chatExchange, sink).readEvents(endless(), { status: 200, headers: {} });
  expect(completion.choices[0]?.message.content).toBe('fine');
  expect(deltas).toEqual(['fine']);
  expect(await left.promise).toBe('left');
});
