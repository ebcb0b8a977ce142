import { EventEmitter } from 'node:events';
import Opossum from 'opossum';

/**
 * The only file that uses opossum: for the open state and the unref'd reset timer. Calls never go through opossum's
 * `fire`, so that none of its counting, timeouts, caching or fallbacks run. One circuit exists from a break until it is
 * released.
 */
export class OpossumEngine {
  readonly #onHalfOpen: () => void;
  #circuit: Opossum | undefined;

  /** `onHalfOpen` is called when the reset timer of the latest `open` fires. */
  constructor(onHalfOpen: () => void) {
    this.#onHalfOpen = onHalfOpen;
  }

  /** Opens, and half-opens by itself after `durationMs`. From open or half-open it starts anew. */
  open(durationMs: number): void {
    // opossum's own open() ignores an open circuit and would keep its old timer.
    if (this.#circuit?.opened) this.release();
    this.#circuit ??= this.#makeCircuit();
    // opossum reads resetTimeout when it opens (10.0.0, lib/circuit.js `_startTimer`); the object is this circuit's
    // own.
    (this.#circuit as unknown as { options: { resetTimeout: number } }).options.resetTimeout = durationMs;
    this.#circuit.open();
  }

  /** Forgets the circuit and its timer. */
  release(): void {
    this.#circuit?.shutdown();
    this.#circuit = undefined;
  }

  #makeCircuit(): Opossum {
    // A fresh options object each: opossum keeps and mutates it. Its own emitter and no snapshots: no interval timers.
    const options = {
      timeout: false as const,
      volumeThreshold: Number.MAX_SAFE_INTEGER,
      enableSnapshots: false,
      rollingPercentilesEnabled: false,
      rollingCountBuckets: 1,
      rotateBucketController: new EventEmitter(),
    };
    const circuit = new Opossum(neverFired, options as Opossum.Options);
    circuit.on('halfOpen', this.#onHalfOpen);
    return circuit;
  }
}

const neverFired = () => Promise.resolve();
