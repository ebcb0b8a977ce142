import type { AdmissionTicket } from './admission-ticket.ts';

/** The part of a ticket that a call uses. */
export type CallTicket = Pick<AdmissionTicket, 'reserve' | 'correct' | 'hold' | 'leave'>;

/**
 * The ticket of a call that was not admitted and looks for a fallback. It has no capacity for the bytes of an image,
 * unless the caller holds them in any case.
 */
export const refusedTicket = (refusal: unknown, isHeld: boolean): CallTicket => ({
  reserve: () => (isHeld ? undefined : Promise.reject(refusal)),
  correct() {},
  hold: () => () => {},
  leave() {},
});
