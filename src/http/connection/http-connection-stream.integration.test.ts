import { afterEach, describe, expect, it } from 'vitest';
import { cleanUp, overHttp } from './http-connection.fixture.ts';

afterEach(cleanUp);

describe('a streamed answer', () => {
  it('ends with an error when it stands still for streamIdleTimeoutMs', async () => {
    const { fetch, port, connection } = await overHttp(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('data: 1\n\n');
      },
      { streamIdleTimeoutMs: 50 },
    );
    const response = await fetch(`http://127.0.0.1:${port}/`);
    await expect(response.text()).rejects.toMatchObject({ code: 'DESCRIBE_TIMEOUT', timeoutMs: 50 });
    expect(connection.inFlight).toBe(0);
  });

  it('goes on as long as something moves', async () => {
    const { fetch, port } = await overHttp(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        let left = 8;
        const timer = setInterval(() => {
          left -= 1;
          if (left > 0) response.write(`data: ${left}\n\n`);
          else {
            clearInterval(timer);
            response.end();
          }
        }, 25);
      },
      { streamIdleTimeoutMs: 150 },
    );
    const text = await (await fetch(`http://127.0.0.1:${port}/`)).text();
    expect(text.match(/data/g)).toHaveLength(7);
  });

  it('frees its connection when its reader goes away, or never comes', async () => {
    const { fetch, port, connection } = await overHttp(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('data: 1\n\n');
      },
      { streamIdleTimeoutMs: 60 },
    );
    const cancelled = await fetch(`http://127.0.0.1:${port}/`);
    await cancelled.body?.cancel();
    expect(connection.inFlight).toBe(0);
    await fetch(`http://127.0.0.1:${port}/`);
    expect(connection.inFlight).toBe(1);
    await connection.whenQuiet();
    expect(connection.inFlight).toBe(0);
  });

  it('is read at the pace of its reader', async () => {
    let written = 0;
    const { fetch, port } = await overHttp((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      const more = () => {
        while (written < 64 * 1024 * 1024) {
          written += 1024 * 1024;
          if (!response.write(Buffer.alloc(1024 * 1024))) {
            response.once('drain', more);
            return;
          }
        }
      };
      more();
    });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    // Waits until the client accepts no more of the server's bytes.
    for (let before = -1; before !== written; ) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(written).toBeLessThan(32 * 1024 * 1024);
    await response.body?.cancel();
  });

  it('arrives whole, however slowly it is read', async () => {
    const { fetch, port } = await overHttp((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      response.end(Buffer.alloc(3_000_000, 'abc'));
    });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let bytes = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      bytes += part.value.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(bytes).toBe(3_000_000);
  });
});

describe('a stream that its server cuts', () => {
  it('fails as that of fetch does, with the reason as its cause', async () => {
    const { fetch, port, connection } = await overHttp((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n', () => response.destroy());
    });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    const error: unknown = await response.text().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ message: 'terminated', cause: { code: 'UND_ERR_SOCKET' } });
    expect(connection.failed).toBe(true);
  });
});
