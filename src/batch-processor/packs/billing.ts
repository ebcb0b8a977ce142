import type { VisionRequest } from './vision-request.ts';
import type { VisionUsage } from './vision-usage.ts';

/** Told what an image was billed, with the model that answered as the API named it. */
export type BillingListener = (usage: VisionUsage, model: unknown) => void;

const listeners = new WeakMap<VisionRequest, BillingListener>();

/** Tells `listener` of every part of an answer that this very request is charged with, when the answer comes. */
export function onBilled(request: VisionRequest, listener: BillingListener): void {
  listeners.set(request, listener);
}

export function tellBilled(request: VisionRequest, usage: VisionUsage, model: unknown): void {
  listeners.get(request)?.(usage, model);
}
