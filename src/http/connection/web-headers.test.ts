import { describe, expect, it } from 'vitest';
import { WebHeaders } from './web-headers.ts';
import { WebResponse } from './web-response.ts';

const answer = {
  kind: 'whole',
  status: 200,
  statusText: 'OK',
  headers: { 'content-type': 'application/json' },
  body: Buffer.from('{"a":1}'),
} as const;

/** Members of the web's class that a subclass does not override. They would run without what its constructor makes. */
const inherited = (web: { readonly prototype: object }, own: { readonly prototype: object }) =>
  Reflect.ownKeys(web.prototype).filter((key) => key !== Symbol.toStringTag && !Object.hasOwn(own.prototype, key));

describe('a class of the web whose constructor is never run', () => {
  it('is one by instanceof and by its tag', () => {
    const response = new WebResponse(answer, 'http://127.0.0.1/', 'GET');
    expect(response).toBeInstanceOf(Response);
    expect(response.headers).toBeInstanceOf(Headers);
    expect(String(response)).toBe('[object Response]');
    expect(String(response.headers)).toBe('[object Headers]');
  });

  it('overrides every member of Response that runs on what its constructor makes', () => {
    // The inspection of Node reads the public members only.
    expect(inherited(Response, WebResponse)).toEqual([Symbol.for('nodejs.util.inspect.custom')]);
  });

  it('overrides every member of Headers', () => {
    expect(inherited(Headers, WebHeaders)).toEqual([]);
  });

  it('can be passed on to the web, as a route handler does', async () => {
    const response = new WebResponse(answer, 'http://127.0.0.1/', 'GET');
    const passedOn = new Response(response.body, response);
    expect(passedOn.headers.get('content-type')).toBe('application/json');
    expect(await passedOn.json()).toEqual({ a: 1 });
  });
});
