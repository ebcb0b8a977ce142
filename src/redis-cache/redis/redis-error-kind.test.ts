import { describe, expect, it } from 'vitest';
import { errorKind } from './redis-error-kind.ts';

describe('errorKind', () => {
  it.each([
    [new Error('Connection is closed.'), 'CONNECTION_CLOSED'],
    [new Error("Stream isn't writeable and enableOfflineQueue options is false"), 'CONNECTION_CLOSED'],
    [new Error('Reached the max retries per request limit (which is 0).'), 'CONNECTION_CLOSED'],
    [new Error("Socket timeout. Expecting data, but didn't receive any in 2000ms."), 'SOCKET_TIMEOUT'],
    [new Error('Command timed out'), 'COMMAND_TIMEOUT'],
    [new Error('Unknown RESP type 72 "H".'), 'PROTOCOL_ERROR'],
    [new Error('WRONGPASS invalid username-password pair'), 'WRONGPASS'],
    [Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  ])('tells %s in a word', (error, kind) => {
    expect(errorKind(error)).toBe(kind);
  });
});
