import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request as ExpressRequest, Response as ExpressResponse, RequestHandler } from 'express';
import { describe, expectTypeOf, it } from 'vitest';
import { CircuitBreaker } from './circuit-breaker.ts';
import { createCircuitBreaker } from './create-circuit-breaker.ts';
import { withCircuitBreaker } from './handlers/with-circuit-breaker.ts';

describe('the types of a breaker', () => {
  it('come from the action alone, whatever the callbacks name', () => {
    const breaker = new CircuitBreaker('a', async (id: string, count: number) => `${id}${count}`, {
      fallback: () => 'cached',
      isFailureResult: (result) => result === '',
    });
    expectTypeOf(breaker.fire).toEqualTypeOf<(id: string, count: number) => Promise<string>>();
    const call = createCircuitBreaker('a', (id: string) => id.length, {
      fallback: (_error, id) => id.length,
    });
    expectTypeOf(call).parameters.toEqualTypeOf<[id: string]>();
    expectTypeOf(call).returns.toEqualTypeOf<Promise<number>>();
  });

  it('give the action its signal', () => {
    new CircuitBreaker('a', function () {
      expectTypeOf(this.signal).toEqualTypeOf<AbortSignal>();
    });
  });

  it('refuse a fallback of another type', () => {
    // @ts-expect-error a number is no string
    new CircuitBreaker('a', async () => 'text', { fallback: () => 7 });
  });

  it('fit the handlers of Express, plain Node and the web', () => {
    const express = withCircuitBreaker('a', (_req: ExpressRequest, res: ExpressResponse) => void res.send(''), {
      handler: 'node',
    });
    expectTypeOf(express).toExtend<RequestHandler>();
    const node = withCircuitBreaker('a', (_req: IncomingMessage, res: ServerResponse) => void res.end(), {
      handler: 'node',
    });
    expectTypeOf(node).toBeCallableWith({} as IncomingMessage, {} as ServerResponse);
    const route = withCircuitBreaker(
      'a',
      (_request: Request, _context: { params: { id: string } }) => new Response(''),
      { handler: 'fetch' },
    );
    expectTypeOf(route).parameters.toEqualTypeOf<[Request, { params: { id: string } }]>();
    expectTypeOf(route).returns.toEqualTypeOf<Promise<Response>>();
  });
});
