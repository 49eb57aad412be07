// Prices of models: those of prices.json, which says from when they are, and those of one's own before them.

import type { ModelPrice } from "../../shared/config/schemas.ts";
import table from "./prices.json" with { type: "json" };

/** All prices that are known; of two for the same name the own one counts. */
export function knownPrices(own: readonly ModelPrice[] = []): readonly ModelPrice[] {
  return [...own, ...table.models];
}
