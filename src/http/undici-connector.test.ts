import { Socket } from 'node:net';
import { buildConnector } from 'undici';
import { describe, expect, it } from 'vitest';

describe("undici's connector", () => {
  it('hands its socket out before it is connected, so that an abort can end it', () => {
    const looked: string[] = [];
    const connector = buildConnector({
      lookup: (host) => {
        // Never answers, so that the connection stays pending.
        looked.push(host);
      },
      timeout: 1_000,
    });
    const socket: unknown = (connector as (...args: unknown[]) => unknown)(
      { hostname: 'images.example', host: 'images.example', protocol: 'http:', port: '80' },
      () => {},
    );
    expect(socket).toBeInstanceOf(Socket);
    expect((socket as Socket).connecting).toBe(true);
    expect(looked).toEqual(['images.example']);
    (socket as Socket).destroy();
  });
});
