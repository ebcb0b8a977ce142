import type { Server } from 'node:http';

/** Listens on 127.0.0.1. @throws the system's error when the port can't be had */
export function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(error);
    server.once('error', failed);
    server.listen(port, '127.0.0.1', 1024, () => {
      server.off('error', failed);
      resolve();
    });
  });
}
