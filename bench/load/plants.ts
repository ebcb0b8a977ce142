import { connect, type Socket } from 'node:net';
import type { LoadTarget } from '../../src/testing/index.ts';

/** Leaks that are planted on purpose, to prove that the soak finds them. */
export const PLANTS = ['listener', 'map', 'socket'] as const;
export type Plant = (typeof PLANTS)[number];

/** The resource in which each must show. */
export const SHOWS_IN: Readonly<Record<Plant, string>> = {
  listener: 'listeners',
  map: 'heap bytes',
  socket: 'sockets',
};

const SOCKET_EVERY_MS = 60_000;

export interface Planted {
  /** The target with the leak. */
  readonly target: LoadTarget;
  uproot(): void;
}

/** Adds a leak to a target: a listener for each call, a map entry for each call, or a socket each minute. */
export function plantLeak(plant: Plant | undefined, inner: LoadTarget, signal: AbortSignal, port: number): Planted {
  const kept = new Map<string, number>();
  const sockets: Socket[] = [];
  const eachCall = () => {
    if (plant === 'listener') signal.addEventListener('abort', () => {});
    if (plant === 'map') kept.set(`call ${kept.size}`, kept.size);
  };
  const timer = plant === 'socket' ? setInterval(() => sockets.push(openSocket(port)), SOCKET_EVERY_MS) : undefined;
  const { stream } = inner;
  return {
    target: {
      // The application gives one long-lived signal to all its calls, as a server does that stops gracefully.
      describe: (image, options) => {
        eachCall();
        return inner.describe(image, { ...options, signal });
      },
      ...(stream && {
        stream: (image, options) => {
          eachCall();
          return stream.call(inner, image, { ...options, signal });
        },
      }),
      ...(inner.pools && { pools: inner.pools }),
    },
    uproot: () => {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A kept-alive connection that has carried one request, and that nobody closes. */
function openSocket(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  socket.write('GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer sk-fake\r\n\r\n');
  return socket;
}
