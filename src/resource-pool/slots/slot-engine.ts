import { createPool, type Pool } from 'generic-pool';

/** Makes and destroys the slots of the engine. */
export interface SlotMaker<Slot> {
  /** Never rejects: a failure is reported through the slot. */
  readonly make: (slot: Slot) => Promise<void>;
  /** Never rejects. */
  readonly unmake: (slot: Slot) => Promise<void>;
}

/**
 * Keeps the lifecycle of slots on generic-pool 3.9. Every slot is borrowed from its creation to its end, so that none
 * of generic-pool's own queues, timers, evictor and validation ever runs. `generic-pool.characterisation.test.ts` pins
 * the behaviour that this relies on.
 */
export class SlotEngine<Slot extends object> {
  readonly #pool: Pool<Slot>;
  readonly #pending: Slot[] = [];

  constructor(maxSize: number, { make, unmake }: SlotMaker<Slot>) {
    this.#pool = createPool<Slot>(
      {
        create: async () => {
          const slot = this.#pending.shift();
          if (slot === undefined) throw new Error('generic-pool made a slot that nobody asked for');
          await make(slot);
          return slot;
        },
        destroy: async (slot) => {
          await unmake(slot);
        },
      },
      { min: 0, max: maxSize, autostart: false, testOnBorrow: false, evictionRunIntervalMillis: 0 },
    );
  }

  /** Makes this slot; resolves when generic-pool has lent it, or to undefined when the engine was closed meanwhile. */
  async open(slot: Slot): Promise<Slot | undefined> {
    this.#pending.push(slot);
    try {
      // Slots are handed out in the order in which they get ready, so this may be another one than `slot`.
      return await this.#pool.acquire();
    } catch {
      const index = this.#pending.indexOf(slot);
      if (index >= 0) this.#pending.splice(index, 1);
      return undefined;
    }
  }

  /** Ends a slot that generic-pool has lent. */
  discard(slot: Slot): void {
    void this.#pool.destroy(slot);
  }

  /** Ends the engine once every slot was discarded. */
  async close(): Promise<void> {
    await this.#pool.drain();
    await this.#pool.clear();
  }
}
