// What may be asked of the flow over HTTP, who is said to have asked, and what a refusal looks like.

import assert from "node:assert/strict";
import { type FlowCommands, flowRoutes } from "../../../../consumer/admin/flow.ts";
import type { FlowJson } from "../../../../consumer/flow/flow_json.ts";
import { PausedAsAWhole } from "../../../../consumer/flow/flow_settings.ts";
import { NotKept, NotRead, TooMuchToKeep } from "../../../../consumer/flow/refusals.ts";

const NOW: FlowJson = {
  version: 3,
  pauses: [],
  rate: { recordsPerSecond: null, setBy: null },
  pool: { permits: null, setBy: null },
  here: { partitions: 0, ofPartitions: null, recordsPerSecond: null, permits: 0, held: [] },
  notKept: null,
};

function routes(refuse?: Error) {
  const asked: unknown[] = [];
  const take = (name: string) => (...what: unknown[]) => {
    asked.push([name, ...what]);
    return refuse === undefined ? Promise.resolve(NOW) : Promise.reject(refuse);
  };
  const commands: FlowCommands = {
    now: () => NOW,
    pause: take("pause"),
    resume: take("resume"),
    setRate: take("rate"),
    setPool: take("pool"),
  };
  const app = flowRoutes(commands);
  const post = (path: string, body: unknown) => {
    const headers = { "content-type": "application/json" };
    const env = { remoteAddr: { transport: "tcp", hostname: "10.0.0.7", port: 1 } };
    return app.request(path, { method: "POST", headers, body: JSON.stringify(body) }, env);
  };
  return { app, asked, post };
}

Deno.test("GET / shows what is paused and limited", async () => {
  assert.deepEqual(await (await routes().app.request("/")).json(), NOW);
});

Deno.test("POST passes on what is meant, who says so, and from where", async () => {
  const { asked, post } = routes();
  const who = { by: "an operator", from: "10.0.0.7" };
  for (
    const [path, body] of [
      ["/pause", {}],
      ["/pause", { topic: "t", partition: 3, by: "ann" }],
      ["/resume", { topic: "t" }],
      ["/rate", { recordsPerSecond: 12.5 }],
      ["/rate", { recordsPerSecond: null }],
      ["/pool", { permits: 40 }],
    ] as const
  ) {
    const answer = await post(path, body);
    assert.equal(answer.status, 200, path);
    assert.deepEqual(await answer.json(), NOW);
  }
  assert.deepEqual(asked, [
    ["pause", {}, who],
    ["pause", { topic: "t", partition: 3 }, { by: "ann", from: "10.0.0.7" }],
    ["resume", { topic: "t" }, who],
    ["rate", 12.5, who],
    ["rate", null, who],
    ["pool", 40, who],
  ]);
});

Deno.test("POST refuses what makes no sense, by name", async () => {
  const { asked, post } = routes();
  for (
    const [path, body, field] of [
      ["/pause", { partition: 1 }, "partition"],
      ["/pause", { topic: "" }, "topic"],
      ["/pause", { topics: "t" }, "topics"],
      ["/pause", { by: "a\nb" }, "by"],
      ["/rate", { recordsPerSecond: 0 }, "recordsPerSecond"],
      ["/rate", {}, "recordsPerSecond"],
      ["/pool", { permits: 1.5 }, "permits"],
      ["/pool", { permits: 0 }, "permits"],
    ] as const
  ) {
    const answer = await post(path, body);
    assert.equal(answer.status, 422, JSON.stringify(body));
    assert.match((await answer.json()).detail, new RegExp(field));
  }
  assert.deepEqual(asked, []);
});

Deno.test("POST says why a change is not made", async () => {
  for (
    const [error, status, slug] of [
      [new NotRead("no such topic"), 404, "not-read"],
      [new PausedAsAWhole("everything is"), 409, "paused-as-a-whole"],
      [new TooMuchToKeep("too many"), 409, "too-many-pauses"],
      [new NotKept("no broker"), 503, "not-kept"],
    ] as const
  ) {
    const answer = await routes(error).post("/pause", {});
    assert.equal(answer.status, status);
    const { type, detail } = await answer.json();
    assert.deepEqual([type, detail], [`/problems/${slug}`, error.message]);
  }
});
