export interface RedisConnectionEvents {
  /** `state` or `lastError` is another. */
  changed: object;
  /** The server does not let this user hear the channel. */
  subscribeRefused: { readonly kind: string };
  ready: object;
  lost: object;
  subscriberReady: object;
  subscriberLost: object;
  message: { readonly text: string };
}
