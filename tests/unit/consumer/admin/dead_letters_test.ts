// The dead-letter routes over letters in memory: what they take, answer and refuse.

import assert from "node:assert/strict";
import { type DeadLetterCommands, deadLetterRoutes } from "../../../../consumer/admin/dead_letters.ts";
import { toDeadLetter } from "../../../../consumer/dead_letters/letter.ts";
import type { DropRequest } from "../../../../consumer/dead_letters/drop.ts";
import type { ReplayRequest, ReplaySummary } from "../../../../consumer/dead_letters/replay/request.ts";
import type { KafkaRecord } from "../../../../consumer/records/record.ts";
import { ProducerFenced } from "../../../../consumer/records/log_access.ts";

const RECORD: KafkaRecord = {
  topic: "t.dlq",
  partition: 0,
  offset: 7,
  timestampMs: 1000,
  key: null,
  value: new TextEncoder().encode("v"),
  headers: { "ackpool-status": "422" },
};
const FOUND = { letter: toDeadLetter(RECORD), state: "open" } as const;
const SUMMARY: ReplaySummary = {
  end: "done",
  meant: 1,
  replayed: 1,
  looping: 0,
  blocked: 0,
  foreign: 0,
  incomplete: 0,
  canary: undefined,
};

/** Commands over one dead letter that remembers what it was asked for. */
class MemoryLetters implements DeadLetterCommands {
  readonly replaysMax = 3;
  readonly replays: ReplayRequest[] = [];
  readonly drops: DropRequest[] = [];
  allowed = 0;
  running = Promise.withResolvers<ReplaySummary>();

  list() {
    const causes = [{
      cause: "422",
      count: 1,
      parked: 0,
      oldestMs: 0,
      newestMs: 0,
      example: { topic: "d", partition: 0, offset: 7 },
    }];
    return Promise.resolve({ total: 1, meant: 1, causes, newest: [FOUND] });
  }
  findOne({ offset }: { offset: number }) {
    return Promise.resolve(offset === 7 ? { record: RECORD, found: FOUND } : undefined);
  }
  replay(request: ReplayRequest, progress: (phase: "replaying", done: number, total: number) => void) {
    this.replays.push(request);
    progress("replaying", 1, 2);
    return request.dryRun ? Promise.resolve(SUMMARY) : this.running.promise;
  }
  drop(request: DropRequest) {
    this.drops.push(request);
    return Promise.resolve({ meant: 1, dropped: 1, parked: 0 });
  }
  allow(count: number) {
    this.allowed += count;
  }
  isKafkaAway(error: Error) {
    return error.name.startsWith("KafkaJS");
  }
}

const post = (body: unknown, type = "application/json") => ({
  method: "POST",
  headers: { "content-type": type },
  body: typeof body === "string" ? body : JSON.stringify(body),
});

Deno.test("GET / lists, and refuses what it does not know", async () => {
  const routes = deadLetterRoutes(new MemoryLetters());
  const list = await (await routes.request("/?status=4xx&limit=5")).json();
  assert.deepEqual([list.total, list.causes[0].cause, list.dead_letters[0].at], [1, "422", "t.dlq/0/7"]);
  const refused = await routes.request("/?limit=many");
  assert.equal(refused.status, 422);
  assert.equal(refused.headers.get("content-type"), "application/problem+json");
  assert.match((await refused.json()).detail, /limit/);
  assert.match((await (await routes.request("/?status=422,foo")).json()).detail, /status.*Not a status/);
});

Deno.test("GET /topic/partition/offset shows one, or answers 404", async () => {
  const routes = deadLetterRoutes(new MemoryLetters());
  const shown = await (await routes.request("/t.dlq/0/7")).json();
  assert.deepEqual([shown.value, shown.headers], ["v", { "ackpool-status": "422" }]);
  assert.equal((await routes.request("/t.dlq/0/8")).status, 404);
});

Deno.test("POST /replay starts one at a time, and GET /replay follows it to its end", async () => {
  const memory = new MemoryLetters();
  const routes = deadLetterRoutes(memory);
  const request = { filter: { statuses: ["422"], since: "2026-01-01T00:00:00Z" }, rate: 5, canary: 2 };
  const started = await routes.request("/replay", post(request));
  assert.deepEqual([started.status, started.headers.get("location")], [202, "/dead-letters/replay"]);
  assert.deepEqual(memory.replays[0]?.filter, { statuses: ["422"], sinceMs: Date.parse("2026-01-01") });
  assert.deepEqual([memory.replays[0]?.rate, memory.replays[0]?.canary, memory.replays[0]?.replaysMax], [
    5,
    2,
    3,
  ]);
  const running = await (await routes.request("/replay")).json();
  assert.deepEqual(running, { state: "running", phase: "replaying", done: 1, total: 2 });
  assert.equal((await routes.request("/replay", post(request))).status, 409);
  memory.running.resolve(SUMMARY);
  await memory.running.promise;
  const ended = await (await routes.request("/replay")).json();
  assert.deepEqual([ended.state, ended.summary.replayed], ["ended", 1]);
});

Deno.test("POST /replay says why one failed", async () => {
  const memory = new MemoryLetters();
  const routes = deadLetterRoutes(memory);
  await routes.request("/replay", post({ everything: true }));
  memory.running.reject(new ProducerFenced("Another one has taken over"));
  await memory.running.promise.catch(() => {});
  const failed = await (await routes.request("/replay")).json();
  assert.deepEqual(failed, { state: "failed", error: "Another one has taken over" });
});

Deno.test("POST /replay and /drop change nothing that nobody named", async () => {
  const memory = new MemoryLetters();
  const routes = deadLetterRoutes(memory);
  for (const path of ["/replay", "/drop"]) {
    assert.equal((await routes.request(path, post({}))).status, 422);
    assert.equal((await routes.request(path, post({ filter: { kye: "typo" } }))).status, 422);
  }
  assert.deepEqual([memory.replays, memory.drops], [[], []]);
  const dropped = await routes.request("/drop", post({ filter: { key: "k" } }));
  assert.deepEqual(await dropped.json(), { meant: 1, dropped: 1, parked: 0 });
});

Deno.test("POST takes JSON only, which a page of another origin cannot send unasked", async () => {
  const memory = new MemoryLetters();
  const routes = deadLetterRoutes(memory);
  assert.equal((await routes.request("/allow", post('{"count":5}', "text/plain"))).status, 415);
  assert.equal((await routes.request("/allow", post("{count"))).status, 400);
  assert.equal((await routes.request("/allow", post({ count: 0 }))).status, 422);
  assert.equal(memory.allowed, 0);
  assert.deepEqual(await (await routes.request("/allow", post({ count: 5 }))).json(), { allowed: 5 });
  assert.equal(memory.allowed, 5);
});
