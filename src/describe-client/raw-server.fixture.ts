import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A bare HTTP server on a free port. It answers only as the test says, and knows nothing of this package. */
export async function startRawServer(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  };
  return { port, origin: `http://127.0.0.1:${port}`, close, [Symbol.asyncDispose]: close };
}

export type RawServer = Awaited<ReturnType<typeof startRawServer>>;
