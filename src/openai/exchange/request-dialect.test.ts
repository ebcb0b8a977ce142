import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { modelCatalog } from '../models/model-catalog.ts';
import { chatExchange } from './chat-exchange.ts';
import { EndpointDialect, type EndpointDialectOptions } from './request-dialect.ts';
import { responsesExchange } from './responses-exchange.ts';

const HOUR_MS = 3_600_000;

const request = {
  model: 'm',
  max_completion_tokens: 300,
  store: false,
  messages: [
    {
      role: 'user' as const,
      content: [
        { type: 'text' as const, text: 'What?' },
        {
          type: 'image_url' as const,
          image_url: { url: 'https://images.test/1.jpg', detail: 'low' as const },
        },
      ],
    },
  ],
};

const refusal = (param: string) => ({
  status: 400,
  error: { message: `Unknown parameter: '${param}'.`, param, code: 'unknown_parameter' },
});

function dialectOf(options: Partial<EndpointDialectOptions> = {}) {
  const clock = new ManualClock();
  const dialect = new EndpointDialect({
    dialect: 'auto',
    exchange: chatExchange,
    extraBody: undefined,
    catalog: modelCatalog,
    clock,
    ...options,
  });
  /** Sends to a server that refuses these parameters, and returns every body that the server gets. */
  const send = (refused: readonly string[], asked = request): Record<string, unknown>[] => {
    const bodies: Record<string, unknown>[] = [];
    let form = dialect.formFor(asked.model, asked);
    for (;;) {
      const body = dialect.exchange.encode(dialect.write(asked, form), false) as unknown as Record<string, unknown>;
      bodies.push(body);
      const text = JSON.stringify(body);
      const found = refused.find((name) => text.includes(`"${name}":`));
      if (found === undefined) {
        dialect.accepted(form);
        return bodies;
      }
      const next = dialect.formAfter(refusal(found), asked, form);
      if (next === undefined) return bodies;
      form = next;
    }
  };
  return { clock, dialect, send };
}

describe('the dialect auto', () => {
  it("sends OpenAI's form, the very request, while nothing is refused", () => {
    const { send } = dialectOf();
    expect(send([])[0]).toBe(request);
  });

  it('changes only what is refused, one repeat for each, and remembers it', () => {
    const { send } = dialectOf();
    const bodies = send(['store', 'max_completion_tokens']);
    expect(bodies).toHaveLength(3);
    const { max_completion_tokens, store, ...rest } = request;
    expect(bodies[2]).toEqual({ ...rest, max_tokens: 300 });
    expect(send(['store', 'max_completion_tokens'])).toEqual([bodies[2]]);
  });

  it('leaves the output limit out where both of its names are refused, and ends', () => {
    const { send } = dialectOf();
    const bodies = send(['store', 'max_completion_tokens', 'max_tokens', 'detail', 'model']);
    expect(bodies).toHaveLength(5);
    expect(bodies[4]).toEqual({
      model: 'm',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What?' },
            { type: 'image_url', image_url: { url: 'https://images.test/1.jpg' } },
          ],
        },
      ],
    });
  });

  it('learns for each model alone', () => {
    const { send } = dialectOf();
    send(['store']);
    expect(send(['store'], { ...request, model: 'other' })).toHaveLength(2);
  });

  it('learns nothing where the request without the parameter fails too', () => {
    const { dialect, send } = dialectOf();
    dialect.formAfter(refusal('store'), request, dialect.formFor('m', request));
    expect(send([])[0]).toBe(request);
  });

  it('tries again after an hour, by one request alone, and keeps what is still refused', async () => {
    const { clock, dialect, send } = dialectOf();
    send(['store']);
    await clock.advance(HOUR_MS - 1);
    expect(send(['store'])).toHaveLength(1);
    await clock.advance(1);
    const trial = dialect.formFor('m', request);
    expect(trial.without.size).toBe(0);
    expect(dialect.formFor('m', request).without).toEqual(new Set(['store']));
    const again = dialect.formAfter(refusal('store'), request, trial);
    dialect.accepted(again ?? trial);
    await clock.advance(HOUR_MS - 1);
    expect(send(['store'])).toHaveLength(1);
  });

  it('does not take a request without the parameter for a trial of it', async () => {
    const { clock, send } = dialectOf();
    const warm = { ...request, temperature: 0.2 };
    send(['temperature'], warm as never);
    await clock.advance(HOUR_MS);
    send(['temperature']);
    expect(send(['temperature'], warm as never)).toHaveLength(2);
    expect(send(['temperature'], warm as never)).toHaveLength(1);
  });

  it('sends the parameter again once the server takes it', async () => {
    const { clock, send } = dialectOf();
    send(['store']);
    await clock.advance(HOUR_MS);
    expect(send([])[0]).toBe(request);
    expect(send([])[0]).toBe(request);
  });

  it('forgets nothing when requests in the older form are answered during a trial', async () => {
    const { clock, dialect } = dialectOf();
    const first = dialect.formFor('m', request);
    const without = dialect.formAfter(refusal('store'), request, first);
    if (without === undefined) throw new Error('nothing was refused');
    dialect.accepted(without);
    await clock.advance(HOUR_MS);
    dialect.formFor('m', request);
    dialect.accepted(without);
    expect(dialect.formFor('m', request).without).toEqual(new Set(['store']));
  });

  it('asks a reasoning model for its least effort, unless the request names one or the server refuses it', () => {
    const { send } = dialectOf();
    const mini = { ...request, model: 'gpt-5-mini' };
    expect(send([], mini)[0]).toMatchObject({ reasoning_effort: 'minimal' });
    expect(send([], { ...mini, reasoning_effort: 'high' } as never)[0]).toMatchObject({
      reasoning_effort: 'high',
    });
    expect(send(['reasoning_effort'], mini)[1]).not.toHaveProperty('reasoning_effort');
    expect(send([], { ...request, model: 'gpt-4.1-mini' })[0]).not.toHaveProperty('reasoning_effort');
  });

  it('remembers a bounded number of models', () => {
    const { send } = dialectOf();
    for (let index = 0; index <= 100; index += 1) send(['store'], { ...request, model: `m${index}` });
    expect(send(['store'], { ...request, model: 'm0' })).toHaveLength(2);
    expect(send(['store'], { ...request, model: 'm100' })).toHaveLength(1);
  });
});

describe('the other dialects', () => {
  it('generic sends max_tokens and no store from the first request on', () => {
    const { send } = dialectOf({ dialect: 'generic' });
    const { max_completion_tokens, store, ...rest } = request;
    expect(send(['store', 'max_completion_tokens'])).toEqual([{ ...rest, max_tokens: 300 }]);
  });

  it('generic gives way too where a server refuses what it sends', () => {
    const { send } = dialectOf({ dialect: 'generic' });
    expect(send(['max_tokens'])[1]).toHaveProperty('max_completion_tokens', 300);
  });

  it('openai changes nothing', () => {
    const { send } = dialectOf({ dialect: 'openai' });
    expect(send(['store'])).toEqual([request]);
  });
});

describe('an extra body of an endpoint', () => {
  it('joins each request, which wins', () => {
    const { send } = dialectOf({ extraBody: { seed: 7, top_p: 0.5 } });
    expect(send([], { ...request, seed: 9 } as never)[0]).toEqual({ ...request, seed: 9, top_p: 0.5 });
  });
});

describe('the dialect of a server of the Responses API', () => {
  const asked = { ...request, temperature: 0, model: 'gpt-5-mini' };

  it.each(['auto', 'openai', 'generic'] as const)(
    'always says not to store, and names the limit alike: %s',
    (dialect) => {
      const [body] = dialectOf({ dialect, exchange: responsesExchange }).send([], asked);
      expect(body).toMatchObject({ store: false, max_output_tokens: 1_324 });
      expect(body).not.toHaveProperty('max_tokens');
    },
  );

  it('leaves out what is refused by name, and only that', () => {
    const { send } = dialectOf({ exchange: responsesExchange });
    const refused = ['store', 'max_output_tokens', 'temperature', 'reasoning', 'detail'];
    const bodies = send(refused, asked);
    expect(bodies).toHaveLength(6);
    const [, ...known] = send(refused, asked);
    expect(known).toEqual([]);
    for (const name of refused) expect(JSON.stringify(bodies[5])).not.toContain(`"${name}"`);
    expect(bodies[5]).toMatchObject({ model: 'gpt-5-mini', input: [{ role: 'user' }] });
  });

  it.each([
    ['reasoning.effort', "Unsupported parameter: 'reasoning.effort' is not supported with this model."],
    [null, "Unsupported value: 'reasoning.effort' does not support 'minimal' with this model."],
  ])('knows the effort by its path: %s', (param, message) => {
    const { dialect } = dialectOf({ exchange: responsesExchange });
    const error = { status: 400, error: { message, param, code: 'unsupported_parameter' } };
    const form = dialect.formAfter(error, asked, dialect.formFor('gpt-5-mini', asked));
    expect(form?.found).toEqual(['reasoning_effort']);
  });

  it('does not take a word about reasoning for the name of the parameter', () => {
    const { dialect } = dialectOf({ exchange: responsesExchange });
    const message = "'temperature' is not supported by reasoning models";
    const form = dialect.formAfter({ status: 400, error: { message } }, asked, dialect.formFor('gpt-5-mini', asked));
    expect(form?.found).toEqual(['temperature']);
  });
});
