import type { Product, User } from "./catalogue.ts";

/**
 * What happened in the shop, as one reused object. A row is a function of it and of the schema
 * alone: whatever a row needs of chance comes from the id's bits.
 */
export interface ShopEvent {
  /** Epoch ms, whole. */
  timeMs: number;
  isPurchase: boolean;
  user: User;
  product: Product;
  quantity: number;
  /** 12 bits that grow from one event to the next of the same millisecond. */
  idCounter: number;
  /** 30 random bits. */
  idHigh: number;
  /** 32 random bits. */
  idLow: number;
}
