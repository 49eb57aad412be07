import assert from "node:assert/strict";
import { LookupLoop } from "../../../../../shared/pool/discovery/lookup_loop.ts";
import type { Endpoint } from "../../../../../shared/pool/discovery/endpoints.ts";
import { until } from "../../../../support/until.ts";

/** Look-ups of one name, counted. */
class Counted implements Disposable {
  count = 0;
  usable: boolean;
  found: readonly Endpoint[] = [];
  address = () => "10.0.0.1";
  readonly lookUps: LookupLoop;

  constructor(usable: boolean) {
    this.usable = usable;
    this.lookUps = new LookupLoop({
      urls: [new URL("http://workers.test:8000")],
      resolver: {
        addresses: () => {
          this.count += 1;
          return Promise.resolve([this.address()]);
        },
        services: () => Promise.resolve([]),
      },
      onFound: (found) => this.found = found,
      usable: () => this.usable,
    });
  }

  [Symbol.dispose](): void {
    this.lookUps.close();
  }
}

Deno.test("LookupLoop.start() tells what the first look-up found before it resolves", async () => {
  using names = new Counted(true);
  await names.lookUps.start();
  assert.deepEqual(names.found.map(({ address }) => address), ["http://10.0.0.1:8000"]);
});

Deno.test("LookupLoop looks up much more often while no replica is usable", async () => {
  using well = new Counted(true);
  using empty = new Counted(false);
  await Promise.all([well.lookUps.start(), empty.lookUps.start()]);
  await until("five look-ups", () => empty.count >= 5);
  assert.ok(well.count <= 2, `${well.count} look-ups while replicas are usable`);
});

Deno.test("LookupLoop.hurry() does not wait for the pause that was right a moment ago", async () => {
  using hurried = new Counted(true);
  using waiting = new Counted(true);
  await Promise.all([hurried.lookUps.start(), waiting.lookUps.start()]);
  hurried.usable = false;
  hurried.lookUps.hurry();
  await until("another look-up", () => hurried.count > 1, { everyMs: 5 });
  assert.equal(waiting.count, 1);
});

Deno.test("LookupLoop.close() ends them", async () => {
  using closed = new Counted(false);
  using open = new Counted(false);
  await Promise.all([closed.lookUps.start(), open.lookUps.start()]);
  closed.lookUps.close();
  const { count } = closed;
  await until("the others' look-ups", () => open.count >= 4);
  assert.equal(closed.count, count);
});

Deno.test("LookupLoop looks sooner after a look-up that has found something else", async () => {
  using changing = new Counted(true);
  using staying = new Counted(true);
  changing.address = () => `10.0.0.${changing.count}`;
  await Promise.all([changing.lookUps.start(), staying.lookUps.start()]);
  await until("four look-ups", () => changing.count >= 4);
  assert.ok(staying.count < 4, `${staying.count} look-ups where nothing changes`);
});

Deno.test("LookupLoop finds all addresses of a name that shows one of three each time", async () => {
  using rotating = new Counted(false);
  rotating.address = () => `10.0.0.${rotating.count % 3}`;
  await rotating.lookUps.start();
  await until("all three", () => rotating.found.length === 3, { everyMs: 5 });
  const { count } = rotating;
  await until("nine more look-ups", () => {
    assert.equal(rotating.found.length, 3);
    return rotating.count >= count + 9;
  }, { everyMs: 5 });
});
