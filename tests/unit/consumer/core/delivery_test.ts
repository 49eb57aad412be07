// Tests of which transitions of a delivery are legal.

import assert from "node:assert/strict";
import type { Delivery, DeliveryState } from "../../../../consumer/core/delivery.ts";
import { deliveryOf, type Name, partitionOf } from "./fixtures.ts";

const STEPS: Readonly<Record<DeliveryState, (delivery: Delivery<Name>) => void>> = {
  ready: (delivery) => delivery.makeReady(),
  in_flight: (delivery) => delivery.start(1),
  judging: (delivery) => delivery.suspect(),
  waiting: (delivery) => delivery.wait(),
  dead_lettering: (delivery) => delivery.deadLetter("rejected"),
  settled: (delivery) => delivery.settle(),
  dropped: (delivery) => delivery.drop(),
};
const ALL = Object.keys(STEPS) as DeliveryState[];

/** A way to each state. */
const WAYS: Readonly<Record<DeliveryState, readonly DeliveryState[]>> = {
  ready: [],
  in_flight: ["in_flight"],
  judging: ["in_flight", "judging"],
  waiting: ["in_flight", "waiting"],
  dead_lettering: ["in_flight", "dead_lettering"],
  settled: ["in_flight", "settled"],
  dropped: ["dropped"],
};

const LEGAL: Readonly<Record<DeliveryState, readonly DeliveryState[]>> = {
  ready: ["in_flight", "dead_lettering", "settled", "dropped"],
  in_flight: ["ready", "judging", "waiting", "dead_lettering", "settled", "dropped"],
  judging: ["ready", "waiting", "dead_lettering", "dropped"],
  waiting: ["ready", "dead_lettering", "dropped"],
  dead_lettering: ["settled", "dropped"],
  settled: [],
  dropped: [],
};

for (const from of ALL) {
  Deno.test(`Delivery that is ${from} becomes ${LEGAL[from].join(", ") || "nothing else"}`, () => {
    for (const to of ALL) {
      const delivery = deliveryOf(partitionOf());
      for (const step of WAYS[from]) STEPS[step](delivery);
      assert.equal(delivery.state, from);
      if (LEGAL[from].includes(to)) {
        STEPS[to](delivery);
        assert.equal(delivery.state, to);
      } else {
        assert.throws(() => STEPS[to](delivery), new RegExp(`cannot become ${to} as it is ${from}`));
        assert.equal(delivery.state, from);
      }
    }
  });
}

Deno.test("Delivery.start() counts every POST and keeps the time of the first", () => {
  const delivery = deliveryOf(partitionOf());
  delivery.start(5);
  delivery.makeReady();
  delivery.start(9);
  assert.deepEqual([delivery.attemptsSent, delivery.attemptsCounted, delivery.sentMs], [2, 0, 5]);
});
