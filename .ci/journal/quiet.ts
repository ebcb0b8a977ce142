import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { realPause } from './virtual-time.ts';

/** Turns of the event loop without anything under way after which nothing more will happen by itself. */
const CALM_TURNS = 30;
/** Turns after which a turn lasts a millisecond, so that other threads and processes get on. */
const FAST_TURNS = 60;
/** Longest wait for something that never comes, such as bytes that a reset has thrown away. */
const MAX_TURNS = 1_500;

const REQUEST_IN_A_THREAD = /Req|ConnectWrap|WriteWrap|ShutdownWrap|Job/;

interface Watched {
  readonly socket: Socket;
  localPort: number | undefined;
  remotePort: number | undefined;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Tells when nothing is under way in this process but timers: neither bytes between sockets nor work in threads. */
export class QuietWatch {
  readonly #clients = new Set<Watched>();
  readonly #servers = new Set<Watched>();
  readonly #isBusyElsewhere: () => boolean;
  /** Ports of this process, where an accept may still be under way. */
  readonly ports = new Set<number>();

  constructor(isBusyElsewhere: () => boolean) {
    this.#isBusyElsewhere = isBusyElsewhere;
    subscribe('net.client.socket', (message) => this.#watch(this.#clients, message));
    subscribe('net.server.socket', (message) => this.#watch(this.#servers, message));
  }

  /** Resolves when nothing is under way. Gives up on what never ends. */
  async untilQuiet(): Promise<void> {
    let calmTurns = 0;
    for (let turn = 0; calmTurns < CALM_TURNS && turn < MAX_TURNS; turn += 1) {
      await nextTurn();
      if (this.#isBusy()) {
        calmTurns = 0;
        if (turn > FAST_TURNS) await realPause(1);
      } else calmTurns += 1;
    }
  }

  /** Forgets the sockets that are left of a scenario. */
  forget(): void {
    this.#clients.clear();
    this.#servers.clear();
    this.ports.clear();
  }

  #watch(sockets: Set<Watched>, message: unknown): void {
    const { socket } = message as { readonly socket: Socket };
    const watched: Watched = { socket, localPort: socket.localPort, remotePort: socket.remotePort };
    sockets.add(watched);
    socket.prependOnceListener('connect', () => {
      watched.localPort = socket.localPort;
      watched.remotePort = socket.remotePort;
    });
  }

  #isBusy(): boolean {
    if (this.#isBusyElsewhere()) return true;
    if (process.getActiveResourcesInfo().some((name) => REQUEST_IN_A_THREAD.test(name))) return true;
    for (const client of this.#clients) if (this.#isPairBusy(client)) return true;
    return false;
  }

  #isPairBusy(client: Watched): boolean {
    const { socket } = client;
    if (socket.connecting) return true;
    const peer = [...this.#servers].find(
      ({ localPort, remotePort }) => localPort === client.remotePort && remotePort === client.localPort,
    );
    if (peer === undefined) {
      if (socket.destroyed) this.#clients.delete(client);
      return !socket.destroyed && this.ports.has(client.remotePort ?? 0);
    }
    if (socket.destroyed && peer.socket.destroyed) {
      this.#clients.delete(client);
      this.#servers.delete(peer);
      return false;
    }
    return (
      socket.destroyed !== peer.socket.destroyed ||
      socket.bytesWritten !== peer.socket.bytesRead ||
      peer.socket.bytesWritten !== socket.bytesRead
    );
  }
}
