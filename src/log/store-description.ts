/** What a store says about itself, for people. */
export interface StoreDescription {
  /** What and where, without any secret. */
  readonly store: string;
  /** What has happened to an event when its append is acknowledged, as the store is configured now. */
  readonly durability: string;
  /** Where acknowledged events can be lost or evicted, and what to do; one sentence each. */
  readonly warnings: readonly string[];
}
