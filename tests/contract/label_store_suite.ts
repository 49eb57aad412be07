// What every label store must do, whatever it keeps its labels in.

import assert from "node:assert/strict";
import type { BeginRequest, LabelStore } from "../../worker/core/label_store.ts";
import {
  beginRequest,
  eventAt,
  finishRequest,
  labelOf,
  releaseRequest,
} from "../support/postgres/requests.ts";

/** A store under test, and the means to look behind it. */
export interface StoreHarness extends AsyncDisposable {
  /** Two replicas over the same tables. */
  readonly stores: readonly [LabelStore, LabelStore];
  /** Adds a ticket and answers its id. */
  readonly addTicket: () => Promise<string>;
  readonly removeTicket: (id: string) => Promise<void>;
  readonly category: (id: string) => Promise<string | null>;
  readonly override: (id: string, category: string) => Promise<void>;
  /** Lets every claim's lease run out. */
  readonly expireClaims: () => Promise<void>;
}

/** Registers the suite for one kind of store. */
export function labelStoreSuite(name: string, start: () => Promise<StoreHarness>, races: number): void {
  Deno.test(`LabelStore on ${name}`, async (test) => {
    await using harness = await start();
    await testClaims(test, harness);
    await testFailedCalls(test, harness);
    await testWrites(test, harness);
    await testFence(test, harness);
    await testRaces(test, harness, races);
  });
}

async function testClaims(test: Deno.TestContext, harness: StoreHarness): Promise<void> {
  const [one, two] = harness.stores;
  const { addTicket, expireClaims } = harness;

  await test.step("begin() gives a label nobody has to the first who asks and tells the second to wait", async () => {
    const id = await addTicket();
    assert.deepEqual(await one.begin(beginRequest(id, eventAt(1))), {
      kind: "claimed",
      claims: 1,
      failedCalls: 0,
    });
    assert.deepEqual(await two.begin(beginRequest(id, eventAt(1))), { kind: "held" });
  });

  await test.step("begin() lets exactly one of twenty at once over two replicas buy", async () => {
    const id = await addTicket();
    const begun = await Promise.all(
      Array.from(
        { length: 20 },
        (_, at) => harness.stores[at % 2 === 0 ? 0 : 1].begin(beginRequest(id, eventAt(1))),
      ),
    );
    assert.deepEqual(begun.map(({ kind }) => kind).sort(), ["claimed", ...Array(19).fill("held")]);
  });

  await test.step("begin() claims again after release(), as if for the first time", async () => {
    const id = await addTicket();
    const first = beginRequest(id, eventAt(1));
    await one.begin(first);
    await one.release(releaseRequest(first));
    assert.deepEqual(await two.begin(beginRequest(id, eventAt(1))), {
      kind: "claimed",
      claims: 1,
      failedCalls: 0,
    });
  });

  await test.step("release() by somebody else changes nothing", async () => {
    const id = await addTicket();
    await one.begin(beginRequest(id, eventAt(1)));
    await two.release(releaseRequest(beginRequest(id, eventAt(1))));
    assert.deepEqual(await two.begin(beginRequest(id, eventAt(1))), { kind: "held" });
  });

  await test.step("begin() takes over a claim whose lease ran out, and counts it", async () => {
    const id = await addTicket();
    await one.begin(beginRequest(id, eventAt(1)));
    await expireClaims();
    assert.deepEqual(await two.begin(beginRequest(id, eventAt(1))), {
      kind: "claimed",
      claims: 2,
      failedCalls: 1,
    });
  });
}

async function testFailedCalls(test: Deno.TestContext, harness: StoreHarness): Promise<void> {
  const [one, two] = harness.stores;
  const { addTicket, expireClaims } = harness;
  const replayed = (offset: number, replays: number) => ({ ...eventAt(offset), replays });
  const fail = async (store: LabelStore, request: BeginRequest, calls: number) => {
    assert.equal((await store.begin(request)).kind, "claimed");
    await store.release(releaseRequest(request, calls));
  };

  await test.step("begin() refuses a ticket whose failed calls reached the bound, counted over replicas", async () => {
    const id = await addTicket();
    await fail(one, beginRequest(id, eventAt(1)), 2);
    await fail(two, beginRequest(id, eventAt(1)), 2);
    const third = beginRequest(id, eventAt(2));
    assert.deepEqual(await one.begin(third), { kind: "claimed", claims: 1, failedCalls: 4 });
    await one.release(releaseRequest(third, 2));
    assert.deepEqual(await two.begin(beginRequest(id, eventAt(3))), { kind: "spent", failedCalls: 6 });
  });

  await test.step("begin() counts each text of a ticket for itself", async () => {
    const id = await addTicket();
    await fail(one, beginRequest(id, eventAt(1)), 6);
    assert.equal((await two.begin(beginRequest(id, eventAt(2), "another text"))).kind, "claimed");
  });

  await test.step("begin() lets each replay of an operator try anew, and counts it for itself", async () => {
    const id = await addTicket();
    await fail(one, beginRequest(id, eventAt(1)), 6);
    await fail(two, beginRequest(id, replayed(1, 1)), 4);
    await fail(one, beginRequest(id, replayed(1, 1)), 2);
    assert.equal((await two.begin(beginRequest(id, replayed(1, 1)))).kind, "spent");
    assert.equal((await two.begin(beginRequest(id, eventAt(1)))).kind, "spent");
    assert.equal((await two.begin(beginRequest(id, replayed(1, 2)))).kind, "claimed");
  });

  await test.step("begin() counts a call for each holder that died", async () => {
    const id = await addTicket();
    for (let death = 1; death <= 6; death++) {
      const begun = await one.begin(beginRequest(id, eventAt(1)));
      assert.deepEqual(begun, { kind: "claimed", claims: death, failedCalls: death - 1 });
      await expireClaims();
    }
    assert.equal((await two.begin(beginRequest(id, eventAt(1)))).kind, "spent");
  });

  await test.step("begin() finds a label that was bought after failed calls", async () => {
    const id = await addTicket();
    await fail(one, beginRequest(id, eventAt(1)), 5);
    const request = beginRequest(id, eventAt(1));
    await one.begin(request);
    await one.finish(finishRequest(request, "billing"));
    await fail(two, beginRequest(id, eventAt(2), "another text"), 6);
    assert.equal((await two.begin(beginRequest(id, eventAt(3)))).kind, "known");
  });
}

async function testWrites(test: Deno.TestContext, harness: StoreHarness): Promise<void> {
  const [one, two] = harness.stores;
  const { addTicket, category, removeTicket, expireClaims } = harness;

  await test.step("finish() writes the ticket, and a redelivery finds the label applied", async () => {
    const id = await addTicket();
    const request = beginRequest(id, eventAt(1));
    await one.begin(request);
    assert.equal(await category(id), null);
    assert.deepEqual(await one.finish(finishRequest(request, "billing")), { kind: "written" });
    assert.equal(await category(id), "billing");
    const again = await two.begin(beginRequest(id, eventAt(1)));
    assert.deepEqual(again, { kind: "known", label: labelOf("billing"), applied: true });
  });

  await test.step("finish() applies a known label for a newer event with the same content", async () => {
    const id = await addTicket();
    const request = beginRequest(id, eventAt(1));
    await one.begin(request);
    await one.finish(finishRequest(request, "billing"));
    const newer = beginRequest(id, eventAt(7));
    assert.deepEqual(await one.begin(newer), { kind: "known", label: labelOf("billing"), applied: false });
    assert.deepEqual(await one.finish(finishRequest(newer, "billing", false)), { kind: "written" });
    assert.equal((await one.begin(beginRequest(id, eventAt(6)))).kind, "stale");
  });

  await test.step("finish() stores one label where two holders paid", async () => {
    const id = await addTicket();
    const [first, second] = [beginRequest(id, eventAt(1)), beginRequest(id, eventAt(1))];
    await one.begin(first);
    await expireClaims();
    await two.begin(second);
    assert.deepEqual(await one.finish(finishRequest(first, "bug")), { kind: "written" });
    assert.deepEqual(await two.finish(finishRequest(second, "billing")), { kind: "superseded" });
    assert.deepEqual(await two.begin(second), { kind: "known", label: labelOf("bug"), applied: true });
  });

  await test.step("a ticket that is not there, or no longer, is not found", async () => {
    assert.deepEqual(await one.begin(beginRequest("987654321", eventAt(1))), { kind: "not_found" });
    const id = await addTicket();
    const request = beginRequest(id, eventAt(1));
    await one.begin(request);
    await removeTicket(id);
    assert.deepEqual(await one.finish(finishRequest(request, "bug")), { kind: "not_found" });
  });

  await test.step("an id the column cannot hold is the request's fault", async () => {
    const begun = await one.begin(beginRequest("seventeen", eventAt(1)));
    assert.equal(begun.kind === "failed" && begun.cause, "bad_id");
  });

  await test.step("labels keep what was said, in any script", async () => {
    const id = await addTicket();
    const request = beginRequest(id, eventAt(1));
    const label = labelOf("bug", {
      reason: `"quotes" \\ 'и' 日本 🎫 $1`,
      language: null,
      confidence: null,
      costUsd: null,
    });
    await one.begin(request);
    await one.finish({ ...request, label, fresh: true });
    assert.deepEqual(await two.begin(request), { kind: "known", label, applied: true });
  });

  await test.step("labels keep what a provider said, whatever it was", async () => {
    const id = await addTicket();
    const request = beginRequest(id, eventAt(1));
    const odd = { model: "m\u0000\ud800", inputTokens: 1e15, outputTokens: 12.5, confidence: 1.0000001 };
    await one.begin(request);
    assert.deepEqual(await one.finish({ ...request, label: labelOf("bug", odd), fresh: true }), {
      kind: "written",
    });
    assert.equal((await two.begin(request)).kind, "known");
  });

  await test.step("check() finds nothing wrong", async () => {
    assert.equal(await one.check(), undefined);
  });
}

async function testFence(test: Deno.TestContext, harness: StoreHarness): Promise<void> {
  const [one, two] = harness.stores;
  const { addTicket, category, override } = harness;

  await test.step("begin() calls an older event stale and shows the newer one's label", async () => {
    const id = await addTicket();
    const newer = beginRequest(id, eventAt(9), "new");
    await one.begin(newer);
    await one.finish(finishRequest(newer, "bug"));
    assert.deepEqual(await two.begin(beginRequest(id, eventAt(8), "old")), {
      kind: "stale",
      current: { category: "bug", label: labelOf("bug") },
    });
  });

  await test.step("finish() keeps an older event that ends last from overwriting a newer one", async () => {
    const id = await addTicket();
    const [older, newer] = [beginRequest(id, eventAt(8), "old"), beginRequest(id, eventAt(9), "new")];
    await one.begin(older);
    await two.begin(newer);
    assert.deepEqual(await two.finish(finishRequest(newer, "bug")), { kind: "written" });
    assert.deepEqual(await one.finish(finishRequest(older, "billing")), { kind: "superseded" });
    assert.equal(await category(id), "bug");
  });

  await test.step("finish() compares events of different partitions by their timestamps", async () => {
    const id = await addTicket();
    const [older, newer] = [
      beginRequest(id, eventAt(100, 1_000, 3), "old"),
      beginRequest(id, eventAt(1, 2_000, 4), "new"),
    ];
    await one.begin(newer);
    await one.begin(older);
    await one.finish(finishRequest(newer, "bug"));
    assert.deepEqual(await one.finish(finishRequest(older, "billing")), { kind: "superseded" });
  });

  await test.step("an event of a topic made anew is newer although its offset is smaller", async () => {
    const id = await addTicket();
    const before = beginRequest(id, eventAt(1_000, 1_000_000), "before");
    await one.begin(before);
    await one.finish(finishRequest(before, "billing"));
    const anew = beginRequest(id, eventAt(3, 1_060_001), "anew");
    assert.deepEqual(await two.begin(anew), { kind: "claimed", claims: 1, failedCalls: 0 });
    assert.deepEqual(await two.finish(finishRequest(anew, "bug")), { kind: "written" });
    assert.equal((await one.begin(beginRequest(id, eventAt(1_000, 1_000_000), "before"))).kind, "stale");
    assert.equal((await one.begin(beginRequest(id, eventAt(2, 1_060_001), "old"))).kind, "stale");
  });

  await test.step("an override is answered by begin() and never overwritten by finish()", async () => {
    const id = await addTicket();
    const request = beginRequest(id, eventAt(1));
    await one.begin(request);
    await override(id, "account");
    assert.deepEqual(await one.finish(finishRequest(request, "bug")), { kind: "superseded" });
    assert.equal(await category(id), "account");
    assert.deepEqual(await one.begin(beginRequest(id, eventAt(2), "other")), {
      kind: "overridden",
      current: { category: "account", label: undefined },
    });
  });
}

async function testRaces(test: Deno.TestContext, harness: StoreHarness, races: number): Promise<void> {
  const [one, two] = harness.stores;
  const { addTicket, category, override } = harness;

  await test.step(`the newest of two events wins ${races} races`, async () => {
    for (let race = 0; race < races; race++) {
      const id = await addTicket();
      const [older, newer] = [beginRequest(id, eventAt(1), "old"), beginRequest(id, eventAt(2), "new")];
      await Promise.all([one.begin(older), two.begin(newer)]);
      const writes = [
        () => one.finish(finishRequest(older, "billing")),
        () => two.finish(finishRequest(newer, "bug")),
      ];
      await Promise.all((race % 2 === 0 ? writes : writes.reverse()).map((write) => write()));
      assert.equal(await category(id), "bug", `race ${race}`);
    }
  });

  await test.step(`an override wins ${races} races against a redelivery`, async () => {
    for (let race = 0; race < races; race++) {
      const id = await addTicket();
      const request = beginRequest(id, eventAt(race));
      await one.begin(request);
      const steps = [() => override(id, "account"), () => one.finish(finishRequest(request, "bug"))];
      await Promise.all((race % 2 === 0 ? steps : steps.reverse()).map((step) => step()));
      assert.equal(await category(id), "account", `race ${race}`);
    }
  });
}
