// Tests of what the admin side serves.

import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { createAdmin } from "../../../../consumer/admin/app.ts";
import { scaleOf } from "../../../../consumer/core/scale.ts";

Deno.test("createAdmin() serves /scale as JSON with every field an autoscaler may read", async () => {
  const app = createAdmin({
    causes: () => [],
    registry: new Registry(),
    scale: () =>
      scaleOf({ inFlight: 7, permits: 16, partitions: [] }, {
        bounds: { min: 0, max: 10, targetDrainMs: 60_000 },
        permitsPerReplica: 8,
        permitMs: 2000,
        replicas: 2,
      }, 0),
  });
  const response = await app.request("/scale");
  assert.equal(response.status, 200);
  assert.deepEqual(Object.keys(await response.json()), [
    "backlog",
    "oldestAgeMs",
    "busyPermits",
    "permits",
    "replicas",
    "wantedReplicas",
  ]);
});

Deno.test("createAdmin() says 400 where a Host makes no URL, and a problem of ours where it fails itself", async () => {
  const app = createAdmin({
    causes: () => [],
    registry: new Registry(),
    // As everything does that asks for the request's URL.
    scale: () => new URL("http://4127.0.0.1/") as never,
  });
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, app.fetch);
  const statusFor = async (host: string) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
    const request = `GET /scale HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    const answer = await new Response(connection.readable).text();
    return [/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1], /"type":"([^"]+)"/.exec(answer)?.[1]];
  };
  for (const host of ["4127.0.0.1", "127.i.0.1", "[::1"]) {
    assert.deepEqual(await statusFor(host), ["400", "/problems/bad-request"], host);
  }
  assert.deepEqual(await statusFor("127.0.0.1"), ["500", "/problems/internal"]);
});
